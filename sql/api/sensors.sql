-- A page of the sensors along the road. Missing intervals and free-flow speeds are the inferred ones.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.lanes, s.milepost, s.length_mi,
       s.latitude, s.longitude, s.station_id,
       coalesce(s.interval_s, s.inferred_interval_s)::double precision as interval_s,
       coalesce(s.free_flow_mph, s.inferred_free_flow_mph) as free_flow_mph,
       s.rural, s.retired, nullif(s.valid_from, '-infinity') as valid_from, s.origin, s.registered_at
from traffic.sensors s
where (%(road)s::text is null or s.road = %(road)s)
  and (%(origin)s::text is null or s.origin = %(origin)s)
order by s.road nulls last, s.direction nulls last, s.milepost nulls last, s.external_id
offset %(first)s
limit %(size)s
