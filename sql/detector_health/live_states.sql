-- Counts of each sensor's readings of the last hour; see LiveCounts in detector_health/live_state. Each
-- sensor is read by its index. An event may be a few minutes ahead of its arrival, so the hour has no
-- end. Retired sensors are not expected to report.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost, s.station_id,
       newest."timestamp" as newest_reading,
       coalesce(s.interval_s, s.inferred_interval_s)::double precision as interval_s,
       hour.samples,
       case when n.expected < 1 then 1 else floor(n.expected) end::integer as expected, hour.all_the_same, hour.anything
from traffic.sensors s
--| parts/newest_reading
cross join lateral (
    select count(*)::integer as samples,
           count(distinct row(r.speed, r.volume, r.occupancy)) = 1 as all_the_same,
           coalesce(bool_or(r.speed > 0 or r.volume > 0 or r.occupancy > 0), false) as anything
    from traffic.traffic_readings r
    where r.sensor_id = s.sensor_id and r."timestamp" > %(hour_ago)s
) hour
cross join traffic.expected_samples(
    s.sensor_id, %(hour_ago)s, %(hour_ago)s::timestamptz + interval '1 hour') n (expected)
where not s.retired
  and (s.origin = 'imported' or newest."timestamp" >= %(forget_before)s)
order by s.road nulls last, s.direction, s.milepost, s.external_id
