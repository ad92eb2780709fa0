-- The dirty 5-minute rows, from their readings; docs/roll-ups.md has the formulas. Measures are summed
-- as whole millionths, so that no sum depends on the order of rows. A speed below a millionth of a mile
-- per hour is 0. A value outside a measure's domain was inserted by hand. Ranges are split where a
-- period of the sensor begins, and read one at a time by the primary key. Most lie in the current period,
-- which traffic.sensors shows. Returns the written rows by date.
with part as materialized (
    select d.sensor_id, greatest(d.first, t.valid_from) as first, least(d.until, t.valid_until) as until,
           t.interval_s, t.interval_s::double precision as seconds, t.length_mi, t.free_flow_mph
    from pg_temp.dirty_ranges d
    join traffic.sensors s using (sensor_id)
    cross join lateral (
        select s.valid_from, 'infinity'::timestamptz as valid_until,
--| parts/applicable_values
        where d.first >= s.valid_from
        union all
        select t.valid_from, t.valid_until, t.interval_s, t.length_mi, t.free_flow_mph
        from traffic.sensor_timeline t
        where t.sensor_id = d.sensor_id and d.first < s.valid_from
          and t.valid_from < d.until and t.valid_until > d.first
    ) t
),
computed as materialized (
    select s.sensor_id, b.bucket, s.interval_s, b.samples,
           300 / s.seconds as expected_samples,
           b.samples * s.seconds / 300 as completeness,
           b.with_volume, b.sum_volume, m.vehicles,
           b.sum_volume::double precision / nullif(b.with_volume, 0) as flow,
           b.sum_q, b.sum_qv, m.speed, b.min_speed, b.max_speed,
           b.with_occupancy, b.sum_occupancy,
           b.sum_occupancy / nullif(b.with_occupancy, 0) as occupancy,
           b.good, b.good::double precision / b.samples as good_share,
           m.seen::integer as observed,
           t.vmt, h.vht, h.free_vht,
           case when h.free_vht is not null then greatest(0, h.vht - h.free_vht) end as delay_h,
           h.vht / nullif(h.free_vht, 0) as travel_time_index
    from part s
    cross join lateral (
        select to_timestamp(floor(date_part('epoch', u."timestamp") / 300) * 300) as bucket,
               count(*)::integer as samples,
               count(u.volume)::integer as with_volume,
               coalesce(sum(u.volume), 0) as sum_volume,
               coalesce(sum(u.volume) filter (where u.moving), 0) as sum_q,
               coalesce(sum((u.speed * 1000000)::bigint * u.volume) filter (where u.moving), 0)
                   ::double precision / 1000000 as sum_qv,
               min(u.speed) filter (where u.moving) as min_speed,
               max(u.speed) filter (where u.moving) as max_speed,
               count(u.occupancy)::integer as with_occupancy,
               coalesce(sum((u.occupancy * 1000000)::bigint), 0)::double precision / 1000000
                   as sum_occupancy,
               count(*) filter (where u.good)::integer as good
        from (
            select r."timestamp", r.speed, r.volume,
                   case when r.occupancy between 0 and 100 then r.occupancy end as occupancy,
--| parts/is_moving
                       as moving,
--| parts/is_good
                       as good
            from traffic.traffic_readings r
            where r.sensor_id = s.sensor_id
              and r."timestamp" >= s.first and r."timestamp" < s.until
        ) u
        group by 1
    ) b
    cross join lateral (
        select b.sum_volume * s.seconds / 3600 as vehicles,
               b.sum_qv / nullif(b.sum_q, 0) as speed,
               b.sum_q > 0 or b.with_volume > 0 and b.sum_volume = 0 as seen
    ) m
    cross join lateral (select case when m.seen then m.vehicles * s.length_mi end as vmt) t
    cross join lateral (
        select case when t.vmt = 0 then 0 else t.vmt / m.speed end as vht,
               t.vmt / s.free_flow_mph as free_vht
    ) h
),
-- One look-up by the primary key per range: a join could read the whole table.
old as materialized (
    select o.*
    from pg_temp.dirty_ranges d
    cross join lateral (
        select *
        from traffic.readings_5min t
        where t.sensor_id = d.sensor_id and t.bucket >= d.first and t.bucket < d.until
        offset 0
    ) o
),
--| parts/write_rollups
