-- `id` follows its formula in each row if the table and each partition generate the column.
with relation as (
    select 'traffic.traffic_readings'::regclass as oid
    union all
    select inhrelid from pg_inherits where inhparent = 'traffic.traffic_readings'::regclass
), formula as (
    select c.relname::text as table_name, a.attrelid = 'traffic.traffic_readings'::regclass as own,
           case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end as formula
    from relation r
    join pg_class c on c.oid = r.oid
    join pg_attribute a on a.attrelid = r.oid and a.attname = 'id'
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
)
select f.table_name, json_build_object('column', 'id') as key,
       'generated always as (' || coalesce(p.formula, '…') || ')' as expected,
       coalesce('generated as ' || f.formula, 'a column that anybody can write') as found
from formula f
join formula p on p.own
where f.formula is null or f.formula is distinct from p.formula
order by f.table_name
limit %(limit)s
