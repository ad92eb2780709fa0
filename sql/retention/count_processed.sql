-- As count_raw, for a month of events and by event date too. An event arrived when its batch was
-- committed.
insert into pg_temp.dropping
select p.topic_no, p.partition, b.batch_id, p.day, sum(p.rows), max(p.high) + 1,
       max(b.committed_at)
from (
    select topic_no, partition, batch_id, ("timestamp" at time zone %(timezone)s)::date as day,
           count(*) as rows, max("offset") as high
    from traffic.processed_events
    where "timestamp" >= %(lower)s and "timestamp" < %(upper)s
    group by 1, 2, 3, 4
) p
left join lateral (
    select b.batch_id, b.last_batch_id, b.committed_at
    from traffic.micro_batches b
    where b.topic_no = p.topic_no and b.partition = p.partition and b.batch_id <= p.batch_id
    order by b.batch_id desc
    limit 1
) b on coalesce(b.last_batch_id, b.batch_id) >= p.batch_id
group by p.topic_no, p.partition, b.batch_id, p.day
