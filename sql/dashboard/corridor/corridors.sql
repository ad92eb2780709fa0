-- Directions of roads with sensors at two or more mileposts, and their newest date with readings.
select s.road, s.direction, count(*) as sensors, max(d.date) as newest
from traffic.sensors s
left join lateral (
    select r.date
    from traffic.readings_daily r
    where r.sensor_id = s.sensor_id
    order by r.date desc
    limit 1
) d on true
where s.road is not null and s.milepost is not null
group by s.road, s.direction
having count(distinct s.milepost) > 1
order by s.road, s.direction
