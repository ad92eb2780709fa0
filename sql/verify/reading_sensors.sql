-- The foreign key forbids this, unless triggers were disabled.
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', d.sensor_id, 'timestamp', d."timestamp") as key,
       'the sensor in sensors' as expected, 'none' as found
from traffic.traffic_readings d
left join traffic.sensors s using (sensor_id)
where s.sensor_id is null
order by d.sensor_id, d."timestamp"
limit %(limit)s
