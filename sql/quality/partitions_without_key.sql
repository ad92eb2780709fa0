-- Partitions of a table without a valid unique index on the key or a part of it. An index on a part of the
-- key is stricter, so it suffices; a deferred or partial index does not.
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
