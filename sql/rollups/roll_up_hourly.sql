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
        select d.sensor_id, d.hour, 3600.0::double precision as seconds,
               coalesce(s.interval_s, s.inferred_interval_s) as interval_s,
               b.*
        from dirty d
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
            from traffic.readings_5min p
            where p.sensor_id = d.sensor_id
              and p.bucket >= d.hour and p.bucket < d.hour + interval '1 hour'
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
        from traffic.readings_hourly t
        where t.sensor_id = d.sensor_id and t.hour = d.hour
        offset 0
    ) o
),
-- Roll-ups exclude each other, so nothing else writes these rows. An unchanged row is not written.
different as materialized (
    select c.*, o.sensor_id is null as is_new
    from computed c
    left join old o using (sensor_id, hour)
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
    insert into traffic.readings_hourly as t
        (sensor_id, hour,
         interval_s, samples, expected_samples, completeness, with_volume, sum_volume, vehicles,
         flow, sum_q, sum_qv, speed, min_speed, max_speed, with_occupancy, sum_occupancy, occupancy,
         good, good_share, observed, observed_share, vmt, vht, free_vht, delay_h, travel_time_index)
    select sensor_id, hour,
           interval_s, samples, expected_samples, completeness, with_volume, sum_volume, vehicles,
           flow, sum_q, sum_qv, speed, min_speed, max_speed, with_occupancy, sum_occupancy,
           occupancy, good, good_share, observed, observed_share, vmt, vht, free_vht, delay_h,
           travel_time_index
    from different
    on conflict (sensor_id, hour) do update
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
    delete from traffic.readings_hourly t
    using (
        select sensor_id, hour from old
        except
        select sensor_id, hour from computed
    ) gone
    where t.sensor_id = gone.sensor_id and t.hour = gone.hour
    returning t.hour
)
select (w.hour at time zone p.timezone)::date as date,
       count(*) filter (where w.is_new) as added,
       count(*) filter (where not w.is_new) as changed,
       count(*) filter (where w.is_new is null) as removed
from (
    select hour, is_new from different
    union all
    select hour, null from removed
) w
cross join traffic.platform p
group by 1
