-- Sensors whose identifier, name or road holds a text; without one the first of all.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost
from traffic.sensors s
where %(text)s = '' or position(lower(%(text)s) in lower(concat_ws(
    ' ', s.name, s.external_id, s.road, s.direction, s.station_id, s.sensor_id))) > 0
order by s.road nulls last, s.direction, s.milepost nulls last, s.external_id
limit %(limit)s
