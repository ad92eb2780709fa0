-- Messages that left quarantine, with their outcome before and now, in the form of a backfill's records.
select c.topic_no, c.partition, c."offset", 'quarantined', c.was_date, 'processed', o.event_date
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
