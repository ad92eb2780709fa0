-- Sensors whose identifier, name, road or station holds a text; without one the first of all. UUIDs are
-- long enough to hold any few figures: they match from their start, from 4 characters on.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost
from traffic.sensors s
where %(text)s = ''
   or position(lower(%(text)s) in lower(concat_ws(
          ' ', s.name, s.external_id, s.road, s.direction, s.station_id))) > 0
   or (length(%(text)s) >= 4 and starts_with(s.sensor_id::text, lower(%(text)s)))
order by s.road nulls last, s.direction, s.milepost nulls last, s.external_id
limit %(limit)s
