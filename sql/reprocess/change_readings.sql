-- The bounds add no condition. They keep PostgreSQL from reading every month while ingest runs wait.
update traffic.traffic_readings r
set
    --| measures {m} = c.{m},
    quality_score = c.quality_score,
    quality_flags = c.quality_flags, broker_timestamp = c.broker_timestamp,
    order_time = nullif(c.order_time, c.broker_timestamp), topic_no = c.topic_no, partition = c.partition, "offset" = c."offset", event_no = c.event_no, interval_s = c.interval_s,
    updated_at = case
        when (
              --| measures r.{m},
              r.quality_score, r.quality_flags, r.interval_s)
             is distinct from
             (
              --| measures c.{m},
              c.quality_score, c.quality_flags, c.interval_s)
        then %(moment)s else r.updated_at end
from pg_temp.reading_changes c
where c.topic_no is not null and r.sensor_id = c.sensor_id and r."timestamp" = c."timestamp"
  and r."timestamp" >= (select min("timestamp") from pg_temp.reading_changes)
  and r."timestamp" <= (select max("timestamp") from pg_temp.reading_changes)
  and (c.topic_no, c.partition, c."offset", c.event_no, c.broker_timestamp, c.order_time,
       --| measures c.{m},
       c.quality_score, c.quality_flags, c.interval_s)
      is distinct from
      (r.topic_no, r.partition, r."offset", r.event_no, r.broker_timestamp,
       coalesce(r.order_time, r.broker_timestamp),
       --| measures r.{m},
       r.quality_score, r.quality_flags, r.interval_s)
returning r.sensor_id, r."timestamp", r.topic_no, r.partition, r.updated_at = %(moment)s
