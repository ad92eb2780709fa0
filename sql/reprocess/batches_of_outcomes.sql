-- The batch that stored each message, by its outcome. Audit rows may be compacted, outcomes are not.
select distinct on ("offset") "offset", batch_id
from (
    select "offset", was_batch_id as batch_id, 1 as rank
    from traffic.rebuilt_events
    where topic_no = %(topic_no)s and partition = %(partition)s and was = 'processed'
      and "offset" >= %(first_offset)s and "offset" < %(next_offset)s
    union all
    select "offset", batch_id, 2
    from traffic.quarantined_events
    where topic_no = %(topic_no)s and partition = %(partition)s
      and "offset" >= %(first_offset)s and "offset" < %(next_offset)s
    union all
    select "offset", batch_id, 3
    from traffic.processed_events
    where topic_no = %(topic_no)s and partition = %(partition)s
      and "offset" >= %(first_offset)s and "offset" < %(next_offset)s
      and batch_id >= %(first_batch)s and batch_id <= %(last_batch)s
) outcome
where batch_id >= %(first_batch)s and batch_id <= %(last_batch)s
order by "offset", rank
