with lease as (
    delete from traffic.partition_leases
    where topic = %(topic)s and partition = %(partition)s and backend_pid = pg_backend_pid()
)
select pg_advisory_unlock(hashtext('traffic.partition.' || %(topic)s), %(partition)s)
