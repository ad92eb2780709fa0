-- Readings and flagged readings of a sensor's day. Bit 8 alone is correct on an empty road.
select count(*) as readings,
       count(*) filter (
           where r.quality_flags <> 0
             and not (r.quality_flags = 8 and coalesce(r.speed, 0) = 0
                      and coalesce(r.volume, 0) = 0 and coalesce(r.occupancy, 0) = 0)
       ) as flagged
from traffic.traffic_readings r
where r.sensor_id = %(sensor_id)s and r."timestamp" >= %(start)s and r."timestamp" < %(end)s
