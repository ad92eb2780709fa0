-- Roads by direction whose sensors have mileposts at two places or more.
select s.road, s.direction, count(*) as sensors, min(s.milepost) as first, max(s.milepost) as last
from traffic.sensors s
where s.road is not null and s.milepost is not null
group by s.road, s.direction
having count(distinct s.milepost) > 1
order by s.road, s.direction
