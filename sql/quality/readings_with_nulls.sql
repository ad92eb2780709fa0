-- Readings of a date with null in a required column.
select coalesce(s.external_id, r.sensor_id::text) as sensor, r."timestamp", r.quality_score,
       r.quality_flags, r.broker_timestamp, r.created_at, r.updated_at
from traffic.traffic_readings r left join traffic.sensors s using (sensor_id)
where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
  and (r.quality_score is null or r.quality_flags is null or r.broker_timestamp is null
       or r.created_at is null or r.updated_at is null)
order by r."timestamp", sensor
limit %(sample)s
