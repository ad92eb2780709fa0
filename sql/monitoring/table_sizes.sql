-- Tables of a schema, with their partitions summed. Rows are the server's estimate from its statistics,
-- or from the last vacuum or analyze. `first` and `last` are the names of the oldest and newest
-- partitions with rows.
select t.relname::text as name,
       sum(case when s.n_live_tup > 0 then s.n_live_tup else greatest(leaf.reltuples, 0) end)::bigint
           as rows,
       sum(pg_table_size(leaf.oid))::bigint as bytes,
       sum(pg_indexes_size(leaf.oid))::bigint as index_bytes,
       count(i.inhrelid) as partitions,
       min(leaf.relname::text) filter (
           where i.inhrelid is not null and pg_relation_size(leaf.oid) > 0) as first,
       max(leaf.relname::text) filter (
           where i.inhrelid is not null and pg_relation_size(leaf.oid) > 0) as last
from pg_class t
join pg_namespace n on n.oid = t.relnamespace
left join pg_inherits i on i.inhparent = t.oid
join pg_class leaf on leaf.oid = coalesce(i.inhrelid, t.oid)
left join pg_stat_all_tables s on s.relid = leaf.oid
where n.nspname = %(schema)s and t.relkind in ('r', 'p') and not t.relispartition
group by t.relname
order by sum(pg_total_relation_size(leaf.oid)) desc, t.relname
