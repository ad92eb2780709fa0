-- As count_raw, for a month of events and by event date too. An event arrived when its batch was
-- committed.
insert into pg_temp.dropping
select q.topic_no, q.partition, b.batch_id, q.day, sum(q.rows), max(q.high) + 1,
       max(b.committed_at)
from (
    select topic_no, partition, batch_id, ("timestamp" at time zone %(timezone)s)::date as day,
           count(*) as rows, max("offset") as high
    from traffic.processed_events
    where "timestamp" >= %(lower)s and "timestamp" < %(upper)s
    group by 1, 2, 3, 4
) q
--| parts/audit_row
group by q.topic_no, q.partition, b.batch_id, q.day
