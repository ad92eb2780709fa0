-- Readings of a date with impossible measures.
select coalesce(s.external_id, r.sensor_id::text) as sensor, r."timestamp",
       --| measures r.{m},
       r.quality_score
from traffic.traffic_readings r left join traffic.sensors s using (sensor_id)
where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
  and not (
           --| measures[ and] coalesce(r.{m}, 0) between 0 and %({m})s
           and coalesce(r.quality_score, 0) between 0 and %(quality_score)s)
order by r."timestamp", sensor
limit %(sample)s
