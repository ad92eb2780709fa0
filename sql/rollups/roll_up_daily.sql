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
           min(hour) filter (where buckets = 12) as first,
           max(hour) filter (where buckets = 12) as last
    from hour
    group by date
),
computed as materialized (
    select u.sensor_id, u.date, u.interval_s, u.samples,
           u.seconds / u.interval_s as expected_samples,
           u.samples::double precision * u.interval_s / u.seconds as completeness,
           u.with_volume, u.sum_volume,
           u.sum_volume::double precision * u.interval_s / 3600 as vehicles,
           u.sum_volume::double precision / nullif(u.with_volume, 0) as flow,
           u.sum_q, u.sum_qv, u.sum_qv / nullif(u.sum_q, 0) as speed, u.min_speed, u.max_speed,
           u.with_occupancy, u.sum_occupancy,
           u.sum_occupancy / nullif(u.with_occupancy, 0) as occupancy,
           u.good, u.good::double precision / u.samples as good_share,
           u.observed,
           u.observed::double precision * greatest(300, coalesce(u.interval_s, 300)) / u.seconds
               as observed_share,
           u.vmt, u.vht, u.free_vht, u.delay_h,
           u.vht / nullif(u.free_vht, 0) as travel_time_index
    from (
        select d.sensor_id, d.date, y.seconds,
               coalesce(s.interval_s, s.inferred_interval_s) as interval_s,
               b.*
        from dirty d
        join day y using (date)
        join traffic.sensors s using (sensor_id)
        cross join lateral (
            select sum(p.samples)::integer as samples,
                   sum(p.with_volume)::integer as with_volume,
                   sum(p.sum_volume)::bigint as sum_volume,
                   sum(p.sum_q)::bigint as sum_q,
                   sum((least(p.sum_qv, 9e12) * 1000000)::bigint)::double precision / 1000000
                       as sum_qv,
                   min(p.min_speed) as min_speed,
                   max(p.max_speed) as max_speed,
                   sum(p.with_occupancy)::integer as with_occupancy,
                   sum((p.sum_occupancy * 1000000)::bigint)::double precision / 1000000
                       as sum_occupancy,
                   sum(p.good)::integer as good,
                   sum(p.observed)::integer as observed,
                   sum(p.vmt::numeric)::double precision as vmt,
                   sum(p.vht::numeric)::double precision as vht,
                   sum(p.free_vht::numeric)::double precision as free_vht,
                   sum(p.delay_h::numeric)::double precision as delay_h
            from (
                select h.samples, h.with_volume, h.sum_volume, h.sum_q, h.sum_qv, h.min_speed,
                       h.max_speed, h.with_occupancy, h.sum_occupancy, h.good, h.observed, h.vmt,
                       h.vht, h.free_vht, h.delay_h
                from traffic.readings_hourly h
                where h.sensor_id = d.sensor_id and h.hour >= y.first and h.hour <= y.last
                union all
                select f.samples, f.with_volume, f.sum_volume, f.sum_q, f.sum_qv, f.min_speed,
                       f.max_speed, f.with_occupancy, f.sum_occupancy, f.good, f.observed, f.vmt,
                       f.vht, f.free_vht, f.delay_h
                from hour e
                join traffic.readings_5min f
                  on f.sensor_id = d.sensor_id and f.bucket >= e.first and f.bucket < e.until
                where e.date = d.date and e.buckets < 12
            ) p
        ) b
        where b.samples > 0
    ) u
),
-- One look-up by the primary key per range: a join could read the whole table.
old as materialized (
    select o.*
    from dirty d
    cross join lateral (
        select *
        from traffic.readings_daily t
        where t.sensor_id = d.sensor_id and t.date = d.date
        offset 0
    ) o
),
-- Roll-ups exclude each other, so nothing else writes these rows. An unchanged row is not written.
different as materialized (
    select c.*, o.sensor_id is null as is_new
    from computed c
    left join old o using (sensor_id, date)
    where o.sensor_id is null
       or (o.interval_s, o.samples, o.expected_samples, o.completeness, o.with_volume, o.sum_volume,
           o.vehicles, o.flow, o.sum_q, o.sum_qv, o.speed, o.min_speed, o.max_speed,
           o.with_occupancy, o.sum_occupancy, o.occupancy, o.good, o.good_share, o.observed,
           o.observed_share, o.vmt, o.vht, o.free_vht, o.delay_h, o.travel_time_index)
          is distinct from
          (c.interval_s, c.samples, c.expected_samples, c.completeness, c.with_volume, c.sum_volume,
           c.vehicles, c.flow, c.sum_q, c.sum_qv, c.speed, c.min_speed, c.max_speed,
           c.with_occupancy, c.sum_occupancy, c.occupancy, c.good, c.good_share, c.observed,
           c.observed_share, c.vmt, c.vht, c.free_vht, c.delay_h, c.travel_time_index)
),
written as (
    insert into traffic.readings_daily as t
        (sensor_id, date,
         interval_s, samples, expected_samples, completeness, with_volume, sum_volume, vehicles,
         flow, sum_q, sum_qv, speed, min_speed, max_speed, with_occupancy, sum_occupancy, occupancy,
         good, good_share, observed, observed_share, vmt, vht, free_vht, delay_h, travel_time_index)
    select sensor_id, date,
           interval_s, samples, expected_samples, completeness, with_volume, sum_volume, vehicles,
           flow, sum_q, sum_qv, speed, min_speed, max_speed, with_occupancy, sum_occupancy,
           occupancy, good, good_share, observed, observed_share, vmt, vht, free_vht, delay_h,
           travel_time_index
    from different
    on conflict (sensor_id, date) do update
    set (interval_s, samples, expected_samples, completeness, with_volume, sum_volume, vehicles,
         flow, sum_q, sum_qv, speed, min_speed, max_speed, with_occupancy, sum_occupancy, occupancy,
         good, good_share, observed, observed_share, vmt, vht, free_vht, delay_h, travel_time_index,
         updated_at)
        = row (excluded.interval_s, excluded.samples, excluded.expected_samples,
               excluded.completeness, excluded.with_volume, excluded.sum_volume, excluded.vehicles,
               excluded.flow, excluded.sum_q, excluded.sum_qv, excluded.speed, excluded.min_speed,
               excluded.max_speed, excluded.with_occupancy, excluded.sum_occupancy,
               excluded.occupancy, excluded.good, excluded.good_share, excluded.observed,
               excluded.observed_share, excluded.vmt, excluded.vht, excluded.free_vht,
               excluded.delay_h, excluded.travel_time_index,
               now())
),
removed as (
    delete from traffic.readings_daily t
    using (
        select sensor_id, date from old
        except
        select sensor_id, date from computed
    ) gone
    where t.sensor_id = gone.sensor_id and t.date = gone.date
    returning t.date
)
select w.date as date,
       count(*) filter (where w.is_new) as added,
       count(*) filter (where not w.is_new) as changed,
       count(*) filter (where w.is_new is null) as removed
from (
    select date, is_new from different
    union all
    select date, null from removed
) w
group by 1
