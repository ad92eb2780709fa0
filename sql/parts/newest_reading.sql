-- The time of the newest reading of the sensor `s`, null without any.
left join lateral (
    select r."timestamp"
    from traffic.traffic_readings r
    where r.sensor_id = s.sensor_id
    order by r."timestamp" desc
    limit 1
) newest on true
