-- Offsets that ingest runs decoded with other rules than today's. Adjoining ranges are merged.
with marked as (
    select first_offset, next_offset,
           first_offset is distinct from lag(next_offset) over (order by first_offset) as begins
    from traffic.micro_batches
    where topic_no = %(topic_no)s and partition = %(partition)s
      and rules_version <> %(rules_version)s and raw > 0 and kind = 'ingest'
), numbered as (
    select first_offset, next_offset, count(*) filter (where begins) over (order by first_offset) as run
    from marked
)
select min(first_offset), max(next_offset)
from numbered
group by run
order by 1
