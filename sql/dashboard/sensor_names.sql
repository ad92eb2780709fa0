-- For a list to choose from.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost
from traffic.sensors s
order by s.road nulls last, s.direction, s.milepost nulls last, s.external_id
limit 20000
