-- A message in quarantine is in raw, too. Keep the outcome of the one in quarantine.
delete from pg_temp.rebuilt_outcomes o
using pg_temp.rebuilt_outcomes w
where w.waiting and not o.waiting
  and w.topic_no = o.topic_no and w.partition = o.partition and w."offset" = o."offset"
  and w.event_no = o.event_no;
-- Events of a month that retention has dropped stay dropped.
delete from pg_temp.rebuilt_outcomes o
using traffic.dropped_rows d
where d.table_name = 'processed_events' and d.topic_no = o.topic_no and d.partition = o.partition
  and o."timestamp" >= d.lower_bound and o."timestamp" < d.upper_bound;
create index on pg_temp.rebuilt_outcomes (topic_no, partition, "offset", event_no);
create index on pg_temp.rebuilt_outcomes (event_date);
analyze pg_temp.rebuilt_outcomes
