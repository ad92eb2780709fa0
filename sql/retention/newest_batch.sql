-- Commit time of the highest batch number with events in a month. The index finds it without a read of
-- the month.
select b.committed_at
from (
    select topic_no, partition, batch_id
    from traffic.processed_events
    where "timestamp" >= %(lower)s and "timestamp" < %(upper)s
    order by batch_id desc
    limit 1
) p
join lateral (
    select b.committed_at
    from traffic.micro_batches b
    where b.topic_no = p.topic_no and b.partition = p.partition and b.batch_id <= p.batch_id
    order by b.batch_id desc
    limit 1
) b on true
