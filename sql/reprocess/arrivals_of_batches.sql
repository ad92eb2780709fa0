-- Arrivals of the messages of some batches of a generation, by the rows that are left of them.
select batch_id, min(arrived_at)
from (
    select batch_id, ingested_at as arrived_at
    from traffic.raw_events
    where topic_no = %(topic_no)s and partition = %(partition)s
      and batch_id >= %(first_batch)s and batch_id <= %(last_batch)s
    union all
    select batch_id, quarantined_at
    from traffic.quarantined_events
    where topic_no = %(topic_no)s and partition = %(partition)s
      and "offset" >= %(first_offset)s and "offset" < %(next_offset)s
) kept
group by batch_id
