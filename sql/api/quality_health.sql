-- Detectors of a date whose diagnosis is not good, along the road.
select h.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost, h.diagnosis, h.seen,
       h.field, h.samples_percent
from traffic.detector_health h
join traffic.sensors s using (sensor_id)
where h.date = %(date)s::date and h.diagnosis <> 'good'
order by s.road nulls last, s.direction nulls last, s.milepost nulls last, s.external_id
limit %(most)s
