-- Events that arrived during the comparison, of sensors and times whose reading is about to change. One
-- may have lost to an event that the correction removes. The bounds add no condition. They keep
-- PostgreSQL from reading all of the history while ingest runs wait.
with fresh as materialized (
    select b.batch_id, b.topic_no, b.partition, b.first_offset, b.next_offset
    from traffic.micro_batches b
    left join unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
        as seen (topic_no, partition, position) using (topic_no, partition)
    where b.kind = 'ingest' and b.first_offset >= coalesce(seen.position, 0)
), later as (
    select distinct on (sensor_id, "timestamp") p.*,
           least(coalesce(r.broker_timestamp, '-infinity'), r.ingested_at) as broker_timestamp,
--| parts/order_time
           as order_time
    from fresh b
    join traffic.processed_events p using (batch_id, topic_no, partition)
    join pg_temp.reading_changes c using (sensor_id, "timestamp")
    join traffic.raw_events r
        on r.batch_id = p.batch_id and r.topic_no = p.topic_no and r.partition = p.partition
        and r."offset" = p."offset"
    where p.batch_id = any (array (select batch_id from fresh))
      and r.batch_id = any (array (select batch_id from fresh))
      and p."timestamp" >= (select min("timestamp") from pg_temp.reading_changes)
      and p."timestamp" <= (select max("timestamp") from pg_temp.reading_changes)
    order by sensor_id, "timestamp", order_time desc, p.topic_no desc, p.partition desc, p."offset" desc,
             p.event_no desc
)
update pg_temp.reading_changes c
set
    --| measures {m} = l.{m},
    quality_score = l.quality_score,
    quality_flags = l.quality_flags, broker_timestamp = l.broker_timestamp,
    order_time = l.order_time, topic_no = l.topic_no, partition = l.partition, "offset" = l."offset", event_no = l.event_no,
    interval_s = l.interval_s
from later l
where c.sensor_id = l.sensor_id and c."timestamp" = l."timestamp"
  and (c.topic_no is null
       or (l.order_time, l.topic_no, l.partition, l."offset", l.event_no)
          > (c.order_time, c.topic_no, c.partition, c."offset", c.event_no))
