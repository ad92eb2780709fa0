-- Sessions that hold a lock on the tables that the migration changes, with a table that each one uses.
-- Of other roles' sessions PostgreSQL shows process, role and application only.
select a.pid, coalesce(a.usename, a.backend_type, 'unknown role'),
       coalesce(nullif(a.application_name, ''), 'no application name'), min(c.relname)
from pg_locks l
join pg_class c on c.oid = l.relation and c.relnamespace = 'traffic'::regnamespace
join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'relation' and l.granted and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
  and (c.relname ~ '^(raw_events|processed_events|traffic_readings)(_json|_detail|_[0-9]{6,8})?$'
       or c.relname in ('detector_health', 'detector_health_detail', 'readings_5min', 'readings_hourly',
                        'readings_daily', 'quarantined_events', 'quarantined_events_detail', 'replayed_events',
                        'rebuilt_events', 'micro_batches', 'kafka_offsets', 'sensors', 'topics'))
group by 1, 2, 3
order by 1
