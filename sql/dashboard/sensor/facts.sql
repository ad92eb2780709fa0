-- A sensor with the period that was valid at a time.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost, t.lanes,
       t.interval_s::double precision as interval_s, t.free_flow_mph, t.interval_inferred,
       s.free_flow_mph is null as free_flow_inferred, t.retired,
       nullif(t.valid_from, '-infinity') as valid_from,
       s.origin, s.latitude, s.longitude, s.station_id
from traffic.sensors s
join traffic.sensor_timeline t using (sensor_id)
where s.sensor_id = %(sensor_id)s and t.valid_from < %(at)s and t.valid_until >= %(at)s
