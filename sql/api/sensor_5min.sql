-- Roll-ups of 5 minutes of a sensor that start in a range of time.
select r.bucket as "timestamp", r.samples, r.completeness, r.vehicles, r.flow, r.speed, r.min_speed,
       r.max_speed, r.occupancy, r.good_share, r.vmt, r.vht, r.delay_h, r.travel_time_index
from traffic.readings_5min r
where r.sensor_id = %(sensor_id)s and r.bucket >= %(from)s and r.bucket < %(to)s
order by r.bucket
