-- How many readings a sensor's day has, and how many are flagged: bit 8 is right on an empty road.
select count(*) as readings,
       count(*) filter (where not
--| parts/is_good
       ) as flagged
from traffic.traffic_readings r
where r.sensor_id = %(sensor_id)s and r."timestamp" >= %(start)s and r."timestamp" < %(end)s
