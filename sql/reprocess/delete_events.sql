-- The bounds add no condition. They keep PostgreSQL from reading every month while ingest runs wait.
delete from traffic.processed_events p
using pg_temp.event_changes c
where c.kind in ('leave', 'remove')
  and p.batch_id = c.was_batch_id and p.topic_no = c.topic_no and p.partition = c.partition
  and p."offset" = c."offset" and p.event_no = c.event_no and p."timestamp" = c.was_timestamp
  and p."timestamp" >= (
      select min(was_timestamp) from pg_temp.event_changes where kind in ('leave', 'remove')
  )
  and p."timestamp" <= (
      select max(was_timestamp) from pg_temp.event_changes where kind in ('leave', 'remove')
  )
