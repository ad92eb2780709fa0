-- The local days of the dirty ranges: from the hours that lie wholly in the day, and from the 5-minute
-- rows of an hour that midnight splits (zones half an hour off). A day follows the clock, so it has 23
-- or 25 hours at a clock change. Returns the written rows by date.
with dirty as materialized (
    select distinct d.sensor_id, (n.bucket at time zone p.timezone)::date as date
    from pg_temp.dirty_ranges d
    cross join traffic.platform p
    cross join lateral (
        select d.first as bucket
        union all
        select generate_series(
            d.first, d.until - interval '5 minutes', interval '1 hour'
        )
        union all
        select d.until - interval '5 minutes'
    ) n
),
hour as materialized (
    select c.date, date_trunc('hour', c.bucket, 'UTC') as hour, count(*) as buckets,
           min(c.bucket) as first, max(c.bucket) + interval '5 minutes' as until
    from (
        select y.date, n.bucket
        from (select distinct date from dirty) y
        cross join traffic.platform p
        cross join lateral generate_series(
            (y.date::timestamp at time zone p.timezone) - interval '3 hours',
            ((y.date + 1)::timestamp at time zone p.timezone) + interval '3 hours',
            interval '5 minutes'
        ) n (bucket)
        where (n.bucket at time zone p.timezone)::date = y.date
    ) c
    group by 1, 2
),
day as materialized (
    select date, sum(buckets) * 300::double precision as seconds,
           min(first) as first, max(until) as until,
           min(hour) filter (where buckets = 12) as first_hour,
           max(hour) filter (where buckets = 12) as last_hour
    from hour
    group by date
),
computed as materialized (
    select u.sensor_id, u.date, u.interval_s, u.samples,
--| parts/rollup_ratios
    from (
        select d.sensor_id, d.date, span.seconds,
--| parts/expected_samples
               b.*
        from dirty d
        join day span using (date)
        join traffic.sensors s using (sensor_id)
        cross join lateral (
--| parts/rollup_sums
            from (
                select h.samples, h.with_volume, h.sum_volume, h.vehicles, h.sum_q, h.sum_qv,
                       h.min_speed, h.max_speed, h.with_occupancy, h.sum_occupancy, h.good,
                       h.observed, h.vmt, h.vht, h.free_vht, h.delay_h,
                       h.observed_share * 3600 as observed_s
                from traffic.readings_hourly h
                where h.sensor_id = d.sensor_id
                  and h.hour >= span.first_hour and h.hour <= span.last_hour
                union all
                select f.samples, f.with_volume, f.sum_volume, f.vehicles, f.sum_q, f.sum_qv,
                       f.min_speed, f.max_speed, f.with_occupancy, f.sum_occupancy, f.good,
                       f.observed, f.vmt, f.vht, f.free_vht, f.delay_h,
--| parts/observed_s
                from hour e
                join traffic.readings_5min f
                  on f.sensor_id = d.sensor_id and f.bucket >= e.first and f.bucket < e.until
                where e.date = d.date and e.buckets < 12
            ) p
        ) b
        where b.samples > 0
    ) u
),
--| parts/stored_rollups
--| parts/write_rollups
