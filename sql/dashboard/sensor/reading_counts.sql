-- Readings and flagged readings of a sensor's day. Bit 8 alone is correct on an empty road.
select count(*) as readings,
       count(*) filter (where not
--| parts/is_good
       ) as flagged
from traffic.traffic_readings r
where r.sensor_id = %(sensor_id)s and r."timestamp" >= %(start)s and r."timestamp" < %(end)s
