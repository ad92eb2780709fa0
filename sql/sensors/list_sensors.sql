-- The limit comes first, because the look-up of a newest reading searches every partition. The period's
-- begin is null since the beginning.
with listed as (
    select *
    from traffic.sensors s
    where (%(origin)s::text is null or s.origin = %(origin)s)
      and (%(road)s::text is null or s.road = %(road)s)
      and (%(sensor_id)s::uuid is null or s.sensor_id = %(sensor_id)s)
    order by s.road nulls last, s.direction, s.milepost, s.external_id
    limit %(limit)s
)
select s.sensor_id, s.external_id, s.origin, s.name, s.road, s.direction, s.lanes, s.milepost,
       s.length_mi, s.latitude, s.longitude, s.station_id,
       coalesce(s.interval_s, s.inferred_interval_s) as interval_s,
       coalesce(s.free_flow_mph, s.inferred_free_flow_mph) as free_flow_mph,
       s.rural, s.retired, nullif(s.valid_from, '-infinity') as valid_from, s.registered_at,
       newest."timestamp" as newest_reading
from listed s
--| parts/newest_reading
order by s.road nulls last, s.direction, s.milepost, s.external_id
