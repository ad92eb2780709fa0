-- Rows of a day of raw by the audit row that counts them: that of their batch, or the compacted row that
-- covers the batch (null: no audit row).
insert into pg_temp.dropping
select r.topic_no, r.partition, b.batch_id, null, sum(r.rows), max(r.high) + 1, max(r.arrival)
from (
    select topic_no, partition, batch_id, count(*) as rows, max("offset") as high,
           max(ingested_at) as arrival
    from traffic.raw_events
    where ingested_at >= %(lower)s and ingested_at < %(upper)s
    group by topic_no, partition, batch_id
) r
left join lateral (
    select b.batch_id, b.last_batch_id
    from traffic.micro_batches b
    where b.topic_no = r.topic_no and b.partition = r.partition and b.batch_id <= r.batch_id
    order by b.batch_id desc
    limit 1
) b on coalesce(b.last_batch_id, b.batch_id) >= r.batch_id
group by r.topic_no, r.partition, b.batch_id
