-- Partitions of a table by date, oldest first: first day and name.
select to_date(substring(c.relname from '_([0-9]+)$'),
               case when length(substring(c.relname from '_([0-9]+)$')) = 8 then 'YYYYMMDD'
                    else 'YYYYMM' end) as day,
       c.relname as name
from pg_inherits i
join pg_class c on c.oid = i.inhrelid
where i.inhparent = to_regclass('traffic.' || %(parent)s)
order by 1
