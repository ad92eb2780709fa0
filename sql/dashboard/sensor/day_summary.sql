select d.samples, d.expected_samples, d.completeness, d.vehicles, d.flow, d.speed, d.occupancy,
       d.good_share, d.delay_h, d.travel_time_index, h.diagnosis, h.seen, h.field
from traffic.readings_daily d
left join traffic.detector_health h using (sensor_id, date)
where d.sensor_id = %(sensor_id)s and d.date = %(date)s
