-- Offsets of the batches that hold messages of some dates. Adjoining ranges of equal rules are merged.
-- Each has a flag for other rules than today's (of ingest, or of a later reprocessing or backfill), the
-- number of raw rows, and the times of the first and last commit.
with corrected as materialized (
    -- Messages that became or moved to events of these dates later arrived in earlier batches.
    select topic_no, partition, first_offset, next_offset
    from traffic.micro_batches
    where kind <> 'ingest' and event_dates && %(dates)s::date[]
), marked as (
    select topic_no, partition, first_offset, next_offset, raw - dropped_raw as raw, rules_version,
           coalesce(first_committed_at, committed_at) as began_at, committed_at,
           first_offset is distinct from lag(next_offset) over log
               or rules_version is distinct from lag(rules_version) over log as begins
    from traffic.micro_batches b
    where kind = 'ingest' and raw > 0
      and (event_dates && %(dates)s::date[] or exists (
          select from corrected c
          where c.topic_no = b.topic_no and c.partition = b.partition
            and c.first_offset < b.next_offset and c.next_offset > b.first_offset
      ))
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
           where b.topic_no = j.topic_no and b.partition = j.partition and b.kind <> 'ingest'
             and b.first_offset < j.next_offset and b.next_offset > j.first_offset
             and b.rules_version <> %(rules_version)s
       ),
       j.raw, j.earliest, j.latest
from joined j
order by j.topic_no, j.partition, j.first_offset
