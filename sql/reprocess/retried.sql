-- The messages that left quarantine, as a backfill records its own: what each was, and is now.
select c.topic_no, c.partition, c."offset", 'quarantined', c.was_date, 'processed', o.event_date
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
