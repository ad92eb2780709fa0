-- Readings of a range of time, by time. COPY accepts no parameters, so the client inserts the bounds as
-- literals.
copy (
    select traffic.reading_id(sensor_id, "timestamp") as id, sensor_id, external_id,
           replace(to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '.000000',
                   '') || 'Z' as "timestamp",
           --| measures {m},
           quality_score, quality_flags
    from (
        select r.sensor_id, s.external_id, r."timestamp",
               --| measures r.{m},
               r.quality_score, r.quality_flags
        from traffic.traffic_readings r
        join traffic.sensors s using (sensor_id)
        where r."timestamp" >= {lower} and r."timestamp" < {upper}
        order by r."timestamp", r.sensor_id
    ) sorted
) to stdout (format csv)
