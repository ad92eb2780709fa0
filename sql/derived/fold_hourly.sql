-- The hours of the dirty ranges, from their 5-minute rows: sums of sums, never means of means.
-- Returns what was written, by date.
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
           u.samples * u.interval_s / u.seconds as completeness,
           u.with_volume, u.sum_volume,
           u.sum_volume::double precision * u.interval_s / 3600 as vehicles,
           u.sum_volume::double precision / nullif(u.with_volume, 0) as flow,
           u.sum_q, u.sum_qv, u.sum_qv / nullif(u.sum_q, 0) as speed, u.min_speed, u.max_speed,
           u.with_occupancy, u.sum_occupancy,
           u.sum_occupancy / nullif(u.with_occupancy, 0) as occupancy,
           u.good, u.good::double precision / u.samples as good_share,
           u.observed,
           u.observed * greatest(300, coalesce(u.interval_s, 300)) / u.seconds as observed_share,
           u.vmt, u.vht, u.free_vht, u.delay_h,
           u.vht / nullif(u.free_vht, 0) as travel_time_index
    from (
        select d.sensor_id, d.hour, 3600.0::double precision as seconds,
               coalesce(s.interval_s, s.inferred_interval_s) as interval_s,
               b.*
        from dirty d
        join traffic.sensors s using (sensor_id)
        cross join lateral (
            select
                   sum(p.samples)::integer as samples,
                   sum(p.with_volume)::integer as with_volume,
                   sum(p.sum_volume)::bigint as sum_volume,
                   sum(p.sum_q)::bigint as sum_q,
                   sum((p.sum_qv * 1000000)::bigint)::double precision / 1000000 as sum_qv,
                   min(p.min_speed) as min_speed,
                   max(p.max_speed) as max_speed,
                   sum(p.with_occupancy)::integer as with_occupancy,
                   sum((p.sum_occupancy * 1000000)::bigint)::double precision / 1000000 as sum_occupancy,
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
-- Folds exclude each other, so nobody else writes these rows. What comes out equal is not written.
added as (
    insert into traffic.readings_hourly
        (sensor_id, hour,
         interval_s, samples, expected_samples, completeness, with_volume, sum_volume, vehicles,
         flow, sum_q, sum_qv, speed, min_speed, max_speed, with_occupancy, sum_occupancy, occupancy,
         good, good_share, observed, observed_share, vmt, vht, free_vht, delay_h, travel_time_index)
    select c.sensor_id, c.hour,
           c.interval_s, c.samples, c.expected_samples, c.completeness, c.with_volume, c.sum_volume,
           c.vehicles, c.flow, c.sum_q, c.sum_qv, c.speed, c.min_speed, c.max_speed,
           c.with_occupancy, c.sum_occupancy, c.occupancy, c.good, c.good_share, c.observed,
           c.observed_share, c.vmt, c.vht, c.free_vht, c.delay_h, c.travel_time_index
    from computed c
    where not exists (
        select from traffic.readings_hourly t where t.sensor_id = c.sensor_id and t.hour = c.hour
    )
    returning hour
),
changed as (
    update traffic.readings_hourly t
    set (interval_s, samples, expected_samples, completeness, with_volume, sum_volume, vehicles,
         flow, sum_q, sum_qv, speed, min_speed, max_speed, with_occupancy, sum_occupancy, occupancy,
         good, good_share, observed, observed_share, vmt, vht, free_vht, delay_h, travel_time_index,
         updated_at)
        = row (c.interval_s, c.samples, c.expected_samples, c.completeness, c.with_volume,
               c.sum_volume, c.vehicles, c.flow, c.sum_q, c.sum_qv, c.speed, c.min_speed,
               c.max_speed, c.with_occupancy, c.sum_occupancy, c.occupancy, c.good, c.good_share,
               c.observed, c.observed_share, c.vmt, c.vht, c.free_vht, c.delay_h,
               c.travel_time_index,
               now())
    from computed c
    where t.sensor_id = c.sensor_id and t.hour = c.hour
      and (t.interval_s, t.samples, t.expected_samples, t.completeness, t.with_volume, t.sum_volume,
           t.vehicles, t.flow, t.sum_q, t.sum_qv, t.speed, t.min_speed, t.max_speed,
           t.with_occupancy, t.sum_occupancy, t.occupancy, t.good, t.good_share, t.observed,
           t.observed_share, t.vmt, t.vht, t.free_vht, t.delay_h, t.travel_time_index)
          is distinct from
          (c.interval_s, c.samples, c.expected_samples, c.completeness, c.with_volume, c.sum_volume,
           c.vehicles, c.flow, c.sum_q, c.sum_qv, c.speed, c.min_speed, c.max_speed,
           c.with_occupancy, c.sum_occupancy, c.occupancy, c.good, c.good_share, c.observed,
           c.observed_share, c.vmt, c.vht, c.free_vht, c.delay_h, c.travel_time_index)
    returning t.hour
),
removed as (
    delete from traffic.readings_hourly t
    using dirty d
    where t.sensor_id = d.sensor_id and t.hour = d.hour
      and not exists (
          select from computed c where c.sensor_id = t.sensor_id and c.hour = t.hour
      )
    returning t.hour
)
select (w.hour at time zone p.timezone)::date as date,
       count(*) filter (where w.what = 'added') as added,
       count(*) filter (where w.what = 'changed') as changed,
       count(*) filter (where w.what = 'removed') as removed
from (
    select 'added' as what, hour from added
    union all
    select 'changed', hour from changed
    union all
    select 'removed', hour from removed
) w
cross join traffic.platform p
group by 1
