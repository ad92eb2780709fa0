-- Rows of a day of raw by the audit row that counts them: that of their batch, or the compacted row that
-- covers the batch (null: no audit row).
insert into pg_temp.dropping
select q.topic_no, q.partition, b.batch_id, null, sum(q.rows), max(q.high) + 1, max(q.arrival)
from (
    select topic_no, partition, batch_id, count(*) as rows, max("offset") as high,
           max(ingested_at) as arrival
    from traffic.raw_events
    where ingested_at >= %(lower)s and ingested_at < %(upper)s
    group by topic_no, partition, batch_id
) q
--| parts/audit_row
group by q.topic_no, q.partition, b.batch_id
