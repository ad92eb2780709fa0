-- Months of readings without a usable index by time and sensor, oldest first: the first day of each, and
-- whether an unfinished index exists.
select to_date(substring(c.relname from '_([0-9]+)$'), 'YYYYMM') as day, i.indexrelid is not null as remains
from pg_inherits p
join pg_class c on c.oid = p.inhrelid
left join pg_class o on o.relname = c.relname || '_in_order' and o.relnamespace = c.relnamespace
left join pg_index i on i.indexrelid = o.oid and i.indrelid = c.oid
where p.inhparent = to_regclass('traffic.traffic_readings')
  and i.indisvalid is not true
order by 1
