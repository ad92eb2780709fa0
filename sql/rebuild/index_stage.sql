-- A message in quarantine is raw as well; what waits counts.
delete from pg_temp.rebuilt_outcomes o
using pg_temp.rebuilt_outcomes w
where w.waiting and not o.waiting
  and w.topic_no = o.topic_no and w.partition = o.partition and w."offset" = o."offset";
create index on pg_temp.rebuilt_outcomes (topic_no, partition, "offset");
create index on pg_temp.rebuilt_outcomes (event_date);
analyze pg_temp.rebuilt_outcomes
