-- Partitions of a table on which no valid unique index covers (part of) the key. A unique index
-- over part of the key is stricter, so it will do; one that is deferred or partial will not.
select leaf.relid::regclass::text as partition_name
from pg_partition_tree(%(table)s::regclass) leaf
where leaf.isleaf
  and not exists (
      select from pg_index i
      where i.indrelid = leaf.relid
        and i.indisunique and i.indisvalid and i.indisready and i.indislive and i.indimmediate
        and i.indpred is null and i.indexprs is null
        and (
            select array_agg(a.attname)
            from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) key (attnum)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = key.attnum
        ) <@ %(key)s::name[]
  )
order by partition_name
