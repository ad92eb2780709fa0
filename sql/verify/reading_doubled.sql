-- The primary key forbids this. A damaged or dropped index does not.
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', sensor_id, 'timestamp', "timestamp") as key,
       'one row' as expected, count(*)::text as found
from traffic.traffic_readings
group by sensor_id, "timestamp"
having count(*) > 1
order by sensor_id, "timestamp"
limit %(limit)s
