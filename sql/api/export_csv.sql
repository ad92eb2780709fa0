-- Readings of a range of time, by time. COPY accepts no parameters, so the client inserts literals.
-- A spreadsheet executes a text that begins like a formula. For spreadsheets such a text begins with an
-- apostrophe (OWASP, CSV Injection). It is computed once for each sensor, not for each reading.
copy (
    with names as materialized (
        select sensor_id,
               case when {for_spreadsheets} and external_id ~ '^[=+@\t\r-]'
                         and external_id !~ '^[+-]?[0-9]+([.][0-9]+)?$'
                    then '''' || external_id else external_id end as external_id
        from traffic.sensors
    )
    select traffic.reading_id(sensor_id, "timestamp") as id, sensor_id, external_id,
           replace(to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '.000000',
                   '') || 'Z' as "timestamp",
           --| measures {m},
           quality_score, quality_flags
    from (
        select r.sensor_id, n.external_id, r."timestamp",
               --| measures r.{m},
               r.quality_score, r.quality_flags
        from traffic.traffic_readings r
        join names n using (sensor_id)
        where r."timestamp" >= {lower} and r."timestamp" < {upper}
        order by r."timestamp", r.sensor_id
    ) sorted
) to stdout (format csv)
