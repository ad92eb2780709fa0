-- Readings of a date with impossible measures.
select coalesce(s.external_id, r.sensor_id::text) as sensor, r."timestamp", r.speed, r.volume,
       r.occupancy, r.quality_score
from traffic.traffic_readings r left join traffic.sensors s using (sensor_id)
where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
  and not (coalesce(r.speed, 0) between 0 and %(speed)s
           and coalesce(r.volume, 0) between 0 and %(volume)s
           and coalesce(r.occupancy, 0) between 0 and %(occupancy)s
           and coalesce(r.quality_score, 0) between 0 and %(quality_score)s)
order by r."timestamp", sensor
limit %(sample)s
