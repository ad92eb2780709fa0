-- Readings of a date whose sensor is not in traffic.sensors.
select r.sensor_id::text as sensor, r."timestamp", r.topic_no, r.partition, r."offset",
       r.event_no
from traffic.traffic_readings r left join traffic.sensors s using (sensor_id)
where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s and s.sensor_id is null
order by r."timestamp", sensor
limit %(sample)s
