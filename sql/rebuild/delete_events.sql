delete from traffic.processed_events p
using pg_temp.event_changes c
where c.kind in ('leave', 'remove')
  and p.batch_id = c.was_batch_id and p.topic_no = c.topic_no and p.partition = c.partition
  and p."offset" = c."offset" and p."timestamp" = c.was_timestamp
