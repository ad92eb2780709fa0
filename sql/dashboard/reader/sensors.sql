-- Every sensor with its newest diagnosis, ordered along the road. Lanes of one place are adjacent.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost, s.latitude, s.longitude,
       coalesce(s.interval_s, s.inferred_interval_s)::double precision as interval_s,
       coalesce(s.free_flow_mph, s.inferred_free_flow_mph) as free_flow_mph,
       h.date as diagnosed_on, h.diagnosis, h.seen, h.field
from traffic.sensors s
left join lateral (
    select h.date, h.diagnosis, h.seen, h.field
    from traffic.detector_health h
    where h.sensor_id = s.sensor_id
    order by h.date desc
    limit 1
) h on true
order by s.road nulls last, s.direction, s.milepost nulls last, s.external_id
