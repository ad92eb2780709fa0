-- Faulty detectors of a day, with the observation and the parts to check.
select h.sensor_id, h.external_id, h.sensor_name, h.road, h.direction, h.milepost, h.diagnosis, h.seen,
       h.field, h.since, h.last_good
from traffic.detector_health_detail h
where h.date = %(date)s and h.diagnosis not in ('good', 'not_evaluated')
order by h.road nulls last, h.direction, h.milepost, h.external_id
limit 500
