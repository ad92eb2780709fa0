-- The hours of the dirty ranges, from their 5-minute rows: sums of sums, never means of means. Returns
-- the written rows by date.
with dirty as materialized (
    select distinct d.sensor_id, n.hour
    from pg_temp.dirty_ranges d
    cross join lateral generate_series(
        date_trunc('hour', d.first, 'UTC'), d.until - interval '1 microsecond', interval '1 hour'
    ) n (hour)
),
computed as materialized (
    select u.sensor_id, u.hour, u.interval_s, u.samples,
--| parts/rollup_ratios
    from (
        select d.sensor_id, d.hour, span.seconds,
--| parts/expected_samples
               b.*
        from dirty d
        join traffic.sensors s using (sensor_id)
        cross join lateral (
            values (d.hour, d.hour + interval '1 hour', 3600::double precision)
        ) span (first, until, seconds)
        cross join lateral (
--| parts/rollup_sums
            from (
                select f.*,
--| parts/observed_s
                from traffic.readings_5min f
                where f.sensor_id = d.sensor_id and f.bucket >= span.first and f.bucket < span.until
            ) p
        ) b
        where b.samples > 0
    ) u
),
--| parts/stored_rollups
--| parts/write_rollups
