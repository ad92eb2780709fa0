-- No other audit row has a number among the batches of a compacted row, so a batch leads to one row.
select 'micro_batches' as table_name,
       json_build_object('batch_id', b.batch_id, 'topic_no', b.topic_no,
                         'partition', b.partition) as key,
       format('no other audit row of the generation from batch %%s to %%s', b.batch_id, b.last_batch_id)
           as expected,
       format('that of batch %%s', other.batch_id) as found
from traffic.micro_batches b
cross join lateral (
    select o.batch_id
    from traffic.micro_batches o
    where o.topic_no = b.topic_no and o.partition = b.partition
      and o.batch_id > b.batch_id and o.batch_id <= b.last_batch_id
    order by o.batch_id
    limit 1
) other
where b.last_batch_id is not null
order by b.batch_id, b.topic_no, b.partition
limit %(limit)s
