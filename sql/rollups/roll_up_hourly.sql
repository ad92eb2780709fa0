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
        select d.sensor_id, d.hour, 3600.0::double precision as seconds,
               coalesce(s.interval_s, s.inferred_interval_s) as interval_s,
               b.*
        from dirty d
        join traffic.sensors s using (sensor_id)
        cross join lateral (
--| parts/rollup_sums
            from traffic.readings_5min p
            where p.sensor_id = d.sensor_id
              and p.bucket >= d.hour and p.bucket < d.hour + interval '1 hour'
        ) b
        where b.samples > 0
    ) u
),
--| parts/stored_rollups
--| parts/write_rollups
