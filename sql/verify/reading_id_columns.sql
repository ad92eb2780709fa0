-- `id` equals its formula in every row while every partition generates it as its parent does.
select c.relname::text as table_name, json_build_object('column', 'id') as key,
       'generated always as (' || parent.formula || ') stored' as expected,
       coalesce(pg_get_expr(f.adbin, f.adrelid), 'a plain column') as found
from (
    select pg_get_expr(adbin, adrelid) as formula
    from pg_attribute a
    join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
    where a.attrelid = 'traffic.traffic_readings'::regclass and a.attname = 'id'
) parent
cross join pg_inherits i
join pg_class c on c.oid = i.inhrelid
join pg_attribute a on a.attrelid = c.oid and a.attname = 'id'
left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
where i.inhparent = 'traffic.traffic_readings'::regclass
  and (a.attgenerated <> 's' or pg_get_expr(f.adbin, f.adrelid) is distinct from parent.formula)
order by c.relname
limit %(limit)s
