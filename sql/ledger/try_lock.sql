select pg_try_advisory_lock(hashtext('traffic.partition.' || %(topic)s), %(partition)s)
