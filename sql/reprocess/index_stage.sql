-- A message in quarantine is raw as well; what waits counts.
delete from pg_temp.rebuilt_outcomes o
using pg_temp.rebuilt_outcomes w
where w.waiting and not o.waiting
  and w.topic_no = o.topic_no and w.partition = o.partition and w."offset" = o."offset"
  and w.event_no = o.event_no;
-- Events of a month that retention has dropped do not come back.
delete from pg_temp.rebuilt_outcomes o
using traffic.dropped_rows d
where d.table_name = 'processed_events' and d.topic_no = o.topic_no and d.partition = o.partition
  and o."timestamp" >= d.lower_bound and o."timestamp" < d.upper_bound;
create index on pg_temp.rebuilt_outcomes (topic_no, partition, "offset", event_no);
create index on pg_temp.rebuilt_outcomes (event_date);
analyze pg_temp.rebuilt_outcomes
