-- The newest reading of every sensor that has one: one index lookup per sensor.
select r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy, r.quality_flags
from traffic.sensors s
cross join lateral (
    select *
    from traffic.traffic_readings r
    where r.sensor_id = s.sensor_id
    order by r."timestamp" desc
    limit 1
) r
