-- Counts of each sensor's readings of the last hour; see LiveCounts in detector_health/live_state. Each
-- sensor is read by its index. An event may be a few minutes ahead of its arrival, so the hour has no
-- end.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost, s.station_id,
       newest."timestamp" as newest_reading,
       coalesce(s.interval_s, judged.interval_s) as interval_s,
       hour.samples, hour.all_the_same, hour.anything
from traffic.sensors s
--| parts/newest_reading
-- Without an imported interval, the interval that the newest diagnosis has inferred.
left join lateral (
    select h.interval_s
    from traffic.detector_health h
    where h.sensor_id = s.sensor_id and h.interval_s is not null
    order by h.date desc
    limit 1
) judged on s.interval_s is null
cross join lateral (
    select count(*)::integer as samples,
           count(distinct row(r.speed, r.volume, r.occupancy)) = 1 as all_the_same,
           coalesce(bool_or(r.speed > 0 or r.volume > 0 or r.occupancy > 0), false) as anything
    from traffic.traffic_readings r
    where r.sensor_id = s.sensor_id and r."timestamp" > %(hour_ago)s
) hour
where s.origin = 'imported' or newest."timestamp" >= %(forget_before)s
order by s.road nulls last, s.direction, s.milepost, s.external_id
