-- Sessions that hold back the commits of ingest: those for whose locks an ingest session has waited for
-- seconds, and those that keep a table locked for long. Of other roles' sessions, only members of
-- pg_read_all_stats see application, query and begin.
with waited as (
    select distinct unnest(pg_blocking_pids(l.pid)) as pid
    from pg_locks l
    join pg_stat_activity w using (pid)
    where l.waitstart < clock_timestamp() - least(5, %(seconds)s) * interval '1 second'
      and coalesce(w.application_name, 'traffic-ingest') like 'traffic-ingest%%'
      and w.datname = current_database()
), locking as (
    select l.pid
    from pg_locks l
    join pg_class c on c.oid = l.relation and c.relnamespace = 'traffic'::regnamespace
    where l.granted and l.locktype = 'relation'
      and l.database = (select oid from pg_database where datname = current_database())
      and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
)
select a.pid, coalesce(a.usename, a.backend_type) as role,
       coalesce(nullif(a.application_name, ''), 'unknown') as application,
       left(regexp_replace(a.query, '\s+', ' ', 'g'), 200) as query,
       extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds
from pg_stat_activity a
where coalesce(a.application_name, '') not like 'traffic-ingest%%'
  and (a.pid in (select pid from waited) or a.pid in (select pid from locking))
  and coalesce(a.xact_start < clock_timestamp() - %(seconds)s * interval '1 second',
               a.pid in (select pid from waited))
