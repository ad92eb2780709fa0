-- The readings of the bucket of `n` have not been dropped.
not exists (
    select
    from traffic.dropped_rows g
    where g.table_name = 'traffic_readings'
      and n.bucket >= g.lower_bound and n.bucket < g.upper_bound
)
