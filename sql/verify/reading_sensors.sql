-- The foreign key forbids this, unless triggers were disabled. Materialized, because the limit would
-- make the planner read an index in its order.
with orphan as materialized (
    select d.sensor_id, d."timestamp"
    from traffic.traffic_readings d
    left join traffic.sensors s using (sensor_id)
    where s.sensor_id is null
)
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', sensor_id, 'timestamp', "timestamp") as key,
       'the sensor in sensors' as expected, 'none' as found
from orphan
order by sensor_id, "timestamp"
limit %(limit)s
