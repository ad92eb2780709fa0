-- The audit row of the batch of `q`: its own, or the compacted row that covers the batch.
left join lateral (
    select *
    from traffic.micro_batches b
    where b.topic_no = q.topic_no and b.partition = q.partition and b.batch_id <= q.batch_id
    order by b.batch_id desc
    limit 1
) b on coalesce(b.last_batch_id, b.batch_id) >= q.batch_id
