-- One look-up by the primary key per range: a join could read the whole table.
old as materialized (
    select o.*
    from dirty d
    cross join lateral (
        select *
        from traffic.{table} t
        where t.sensor_id = d.sensor_id and t.{key} = d.{key}
        offset 0
    ) o
),
