-- Offsets of the batches that hold messages of some dates, adjoining ranges of equal rules as one,
-- whether other rules than today's decided messages there (their windows' or those of a replay or
-- rebuild after them), and when the messages arrived at the earliest and latest.
with marked as (
    select topic_no, partition, first_offset, next_offset, raw - dropped_raw as raw, rules_version,
           coalesce(first_committed_at, committed_at) as began_at, committed_at,
           first_offset is distinct from lag(next_offset) over log
               or rules_version is distinct from lag(rules_version) over log as begins
    from traffic.micro_batches
    where kind = 'window' and raw > 0 and event_dates && %(dates)s::date[]
    window log as (partition by topic_no, partition order by first_offset)
), numbered as (
    select *, count(*) filter (where begins) over (
               partition by topic_no, partition order by first_offset) as number
    from marked
), joined as (
    select topic_no, partition, min(first_offset) as first_offset, max(next_offset) as next_offset,
           sum(raw)::bigint as raw, rules_version, min(began_at) as earliest, max(committed_at) as latest
    from numbered
    group by topic_no, partition, rules_version, number
)
select j.topic_no, j.partition, j.first_offset, j.next_offset,
       j.rules_version <> %(rules_version)s or exists (
           select from traffic.micro_batches b
           where b.topic_no = j.topic_no and b.partition = j.partition and b.kind <> 'window'
             and b.first_offset < j.next_offset and b.next_offset > j.first_offset
             and b.rules_version <> %(rules_version)s
       ),
       j.raw, j.earliest, j.latest
from joined j
order by j.topic_no, j.partition, j.first_offset
