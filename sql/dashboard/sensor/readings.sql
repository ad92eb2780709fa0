-- The first readings of a sensor's day. At an interval of 20 seconds, a day has 4,320.
select r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy, r.quality_flags
from traffic.traffic_readings r
where r.sensor_id = %(sensor_id)s and r."timestamp" >= %(start)s and r."timestamp" < %(end)s
order by r."timestamp"
limit %(most)s
