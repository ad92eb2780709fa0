insert into traffic.partition_leases
    (topic, partition, backend_pid, backend_start, run_id, renewed_at, expires_at)
select m.topic, m.partition, a.pid, a.backend_start, %(run_id)s,
       clock_timestamp(), clock_timestamp() + make_interval(secs => %(lease_seconds)s)
from unnest(%(topics)s::text[], %(partitions)s::integer[]) as m (topic, partition)
join pg_stat_activity a on a.pid = pg_backend_pid()
order by m.topic, m.partition
on conflict (topic, partition) do update
set backend_pid = excluded.backend_pid,
    backend_start = excluded.backend_start,
    run_id = excluded.run_id,
    renewed_at = excluded.renewed_at,
    expires_at = excluded.expires_at
