-- Comments of tables and columns: (table, column or null, text).
select c.relname, a.attname, d.description
from pg_description d
join pg_class c on c.oid = d.objoid and c.relnamespace = to_regnamespace('traffic')
left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
where d.classoid = 'pg_class'::regclass
