-- The bounds add no condition. They keep PostgreSQL from reading every month while ingest runs wait.
update traffic.processed_events p
set sensor_id = o.sensor_id, "timestamp" = o."timestamp",
    --| measures {m} = o.{m},
    quality_score = o.quality_score, quality_flags = o.quality_flags,
    format = o.format, interval_s = o.interval_s
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
where c.kind = 'change'
  and p.batch_id = c.was_batch_id and p.topic_no = c.topic_no and p.partition = c.partition
  and p."offset" = c."offset" and p.event_no = c.event_no and p."timestamp" = c.was_timestamp
  and p."timestamp" >= (
      select min(was_timestamp) from pg_temp.event_changes where kind = 'change'
  )
  and p."timestamp" <= (
      select max(was_timestamp) from pg_temp.event_changes where kind = 'change'
  )
