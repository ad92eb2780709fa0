select r.bucket, r.flow, r.speed
from traffic.readings_5min r
where r.sensor_id = %(sensor_id)s and r.bucket >= %(start)s and r.bucket < %(end)s
  and r.speed > 0 and r.flow > 0
order by r.bucket
