-- pg_locks decides who holds a lock. The lease names the run and the end of its lease time. A lock
-- without a lease has just been taken.
select l.topic, lock.objid::integer as partition, lease.run_id, lease.renewed_at, lease.expires_at,
       coalesce(lease.expires_at > clock_timestamp(), true) as alive
from unnest(%(topics)s::text[]) as l (topic)
join pg_locks lock
  on lock.locktype = 'advisory' and lock.granted and lock.objsubid = 2
 and lock.database = (select oid from pg_database where datname = current_database())
 and lock.classid = (hashtext('traffic.partition.' || l.topic)::bigint & 4294967295)::oid
left join traffic.partition_leases lease
  on lease.topic = l.topic and lease.partition = lock.objid::integer
 and lease.backend_pid = lock.pid
order by l.topic, partition
