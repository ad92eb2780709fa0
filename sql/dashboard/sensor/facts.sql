select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost, s.lanes,
       coalesce(s.interval_s, s.inferred_interval_s) as interval_s,
       coalesce(s.free_flow_mph, s.inferred_free_flow_mph) as free_flow_mph,
       s.interval_s is null as interval_inferred, s.free_flow_mph is null as free_flow_inferred,
       s.origin, s.latitude, s.longitude, s.station_id
from traffic.sensors s
where s.sensor_id = %(sensor_id)s
