-- Key columns that may hold nulls: without NOT NULL, or with one that was never validated (possible from
-- PostgreSQL 18 on), in the table or in any of its partitions.
select leaf.relid::regclass::text as table_name, wanted.column_name
from unnest(%(tables)s::text[], %(columns)s::text[]) wanted (table_name, column_name)
cross join lateral pg_partition_tree(wanted.table_name::regclass) leaf
join pg_attribute a on a.attrelid = leaf.relid and a.attname = wanted.column_name
where leaf.isleaf
  and (
      not a.attnotnull
      or exists (
          select from pg_constraint c
          where c.conrelid = a.attrelid and c.contype = 'n' and not c.convalidated
            and c.conkey = array[a.attnum]
      )
  )
order by table_name, column_name
