-- Counts of each sensor's readings of one local day; see SensorDay in detector_health/diagnosis. Each
-- sensor is read by its index, so that the cost depends on the day's readings, not on the month's.
with candidate as (
    select s.sensor_id, s.external_id, s.station_id, period.*, newest.last_reading
    from traffic.sensors s
    -- What the sensor is at the window's end, and the samples that its periods let expect in the window.
    -- A sensor that was retired before the window is not expected at all.
    cross join lateral (
        select (array_agg(t.rural order by t.valid_from desc))[1] as rural,
               (array_agg(t.interval_s order by t.valid_from desc))[1] as interval_s,
               (array_agg(t.interval_inferred order by t.valid_from desc))[1] as interval_inferred,
               bool_and(t.retired) as retired,
               min(t.valid_from) filter (where t.retired) as retired_at
        from traffic.sensor_timeline t
        where t.sensor_id = s.sensor_id
          and t.valid_from < %(window_end)s and t.valid_until > %(window_start)s
    ) period
    left join lateral (
        select r."timestamp" as last_reading
        from traffic.traffic_readings r
        where r.sensor_id = s.sensor_id and r."timestamp" < %(end)s
        order by r."timestamp" desc
        limit 1
    ) newest on true
    -- An imported sensor is expected to report from its first whole window on. A sensor with origin
    -- 'seen' is expected to report until it has been silent for too long.
    where period.retired is not true
      and (newest.last_reading >= %(forget_before)s
           or s.origin = 'imported'
              and (newest.last_reading is not null or s.registered_at <= %(window_start)s))
)
select c.sensor_id, c.external_id, c.station_id, coalesce(c.rural, false) as rural, c.interval_s,
       coalesce(c.interval_inferred, false) as interval_inferred,
       case when n.expected < 1 then 1 else floor(n.expected) end::integer as expected_samples,
       c.retired_at,
       c.last_reading,
       -- Two ranges, because one range with a hole would read the sensor's whole month.
       exists (
           select from traffic.traffic_readings r
           where r.sensor_id = c.sensor_id
             and r."timestamp" >= %(start)s and r."timestamp" < %(window_start)s
       ) or exists (
           select from traffic.traffic_readings r
           where r.sensor_id = c.sensor_id
             and r."timestamp" >= %(window_end)s and r."timestamp" < %(end)s
       ) as readings_elsewhere,
       exists (
           select from traffic.traffic_readings r
           where r.sensor_id = c.sensor_id
             and r."timestamp" >= %(window_start_before)s and r."timestamp" < %(window_end_before)s
       ) as read_day_before,
       began.first_reading,
       d.*
from candidate c
cross join traffic.expected_samples(c.sensor_id, %(window_start)s, %(window_end)s) n (expected)
-- Sensors whose first reading ever came after the window's start (plus two intervals, since one may
-- fail). No earlier reading exists, and no diagnosis of an earlier day mentions one that retention has
-- dropped since. The newest partitions are searched first, so that an old sensor costs one look-up.
left join lateral (
    select min(r."timestamp") as first_reading
    from traffic.traffic_readings r
    where r.sensor_id = c.sensor_id
      and r."timestamp" >= %(window_start)s and r."timestamp" < %(end)s
) began on (
    select r."timestamp"
    from traffic.traffic_readings r
    where r.sensor_id = c.sensor_id
      and r."timestamp"
          <= %(window_start)s + make_interval(secs => 2 * coalesce(c.interval_s, 0)::double precision)
    order by r."timestamp" desc
    limit 1
) is null
and not exists (
    select
    from traffic.detector_health h
    where h.sensor_id = c.sensor_id and h.date < %(day)s and h.last_reading is not null
)
cross join lateral (
    with sample as materialized (
        select floor(date_part('epoch', r."timestamp" - %(window_start)s) / 300)::integer as number,
               count(*) as readings,
               count(r.occupancy) as with_occupancy,
               count(r.volume) as with_volume,
               count(r.occupancy) filter (where r.volume is not null) as with_both,
               count(*) filter (where r.volume = 0 and r.occupancy is null) as empty_road,
               count(*) filter (where r.occupancy = 0) as zero_occupancy,
               count(*) filter (where r.occupancy > %(high_occupancy)s) as high_occupancy,
               count(*) filter (where r.volume = 0 and r.occupancy > 0) as occupancy_without_volume,
               count(*) filter (where r.occupancy = 0 and r.volume > 0) as volume_without_occupancy,
               count(*) filter (where r.volume > 0) as with_traffic,
               count(*) filter (where r.volume > 0 and r.speed is null) as traffic_without_speed,
               sum(r.volume) as volume_sum,
               avg(r.occupancy) as occupancy,
               min(r."timestamp") as first_reading,
               max(r."timestamp") as last_reading
        from traffic.traffic_readings r
        where r.sensor_id = c.sensor_id
          and r."timestamp" >= %(window_start)s and r."timestamp" < %(window_end)s
        group by 1
    ),
    period as materialized (
        select t.valid_from, t.valid_until, t.interval_s
        from traffic.sensor_timeline t
        where t.sensor_id = c.sensor_id
    ),
    pause as (
        select max(date_part('epoch', p.ends - p.begins))::integer as longest_gap_s
        from (
            select lag(last_reading, 1, %(window_start)s) over (order by number) as begins,
                   first_reading as ends
            from sample
            union all
            select coalesce(max(last_reading), %(window_start)s), %(window_end)s
            from sample
        ) p
        where p.ends - p.begins >= interval '5 minutes'
    ),
    -- Means of equal values differ by rounding only. A missing 5-minute sample does not end a run.
    change as (
        select number, occupancy, first_reading,
               abs(occupancy - lag(occupancy) over (order by number)) > 0.00001 as differs
        from sample
        where occupancy is not null
    ),
    same as (
        select number, occupancy, first_reading,
               count(*) filter (where differs) over (order by number) as run
        from change
    ),
    constant as (
        select count(*) as constant_samples, max(occupancy) as constant_occupancy,
               min(first_reading) as constant_from
        from same
        where occupancy > 0
        group by run
        order by count(*) desc, min(number)
        limit 1
    )
    select coalesce(sum(readings), 0)::integer as readings,
           coalesce(sum(with_occupancy), 0)::integer as with_occupancy,
           coalesce(sum(with_volume), 0)::integer as with_volume,
           coalesce(sum(with_both), 0)::integer as with_both,
           coalesce(sum(empty_road), 0)::integer as empty_road,
           coalesce(sum(zero_occupancy), 0)::integer as zero_occupancy,
           coalesce(sum(high_occupancy), 0)::integer as high_occupancy,
           coalesce(sum(occupancy_without_volume), 0)::integer as occupancy_without_volume,
           coalesce(sum(volume_without_occupancy), 0)::integer as volume_without_occupancy,
           coalesce(sum(with_traffic), 0)::integer as with_traffic,
           coalesce(sum(traffic_without_speed), 0)::integer as traffic_without_speed,
           -- Volume times the interval that was valid (vehicles per hour times seconds).
           (select sum(m.volume_sum * p.interval_s)
            from sample m
            join period p on m.first_reading >= p.valid_from and m.first_reading < p.valid_until)
               as vehicle_seconds,
           count(occupancy)::integer as occupancy_samples,
           (select longest_gap_s from pause) as longest_gap_s,
           coalesce((select constant_samples from constant), 0)::integer as constant_samples,
           (select constant_occupancy from constant) as constant_occupancy,
           (select constant_from from constant) as constant_from
    from sample
) d
order by c.sensor_id
