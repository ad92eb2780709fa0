-- Sensors whose identifier, name, road or station contains a text; all sensors for an empty text.
-- A UUID contains almost any short string of digits, so it matches only from its start, by 4 characters
-- or more.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.milepost
from traffic.sensors s
where %(text)s = ''
   or position(lower(%(text)s) in lower(concat_ws(
          ' ', s.name, s.external_id, s.road, s.direction, s.station_id))) > 0
   or (length(%(text)s) >= 4 and starts_with(s.sensor_id::text, lower(%(text)s)))
order by s.road nulls last, s.direction, s.milepost nulls last, s.external_id
limit %(limit)s
