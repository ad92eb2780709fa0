-- A holder without a lease has the whole lease time to write one, counted from the start of its
-- connection's last statement. A holder whose statement is running, or waits for a lock in the server,
-- is slow and not gone. Only a connection that waits for its client is ended.
select lock.pid, pg_terminate_backend(lock.pid)
from unnest(%(topics)s::text[]) as l (topic)
join pg_locks lock
  on lock.locktype = 'advisory' and lock.granted and lock.objsubid = 2
 and lock.database = (select oid from pg_database where datname = current_database())
 and lock.classid = (hashtext('traffic.partition.' || l.topic)::bigint & 4294967295)::oid
join pg_stat_activity a on a.pid = lock.pid
left join traffic.partition_leases lease
  on lease.topic = l.topic and lease.partition = lock.objid::integer
 and lease.backend_pid = lock.pid and lease.backend_start = a.backend_start
where lock.pid <> pg_backend_pid()
  and (a.state is distinct from 'active' or a.wait_event_type is not distinct from 'Client')
  and coalesce(
      lease.expires_at, a.query_start + make_interval(secs => %(lease_seconds)s)
  ) < clock_timestamp()
