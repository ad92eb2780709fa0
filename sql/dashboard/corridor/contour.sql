-- Flow-weighted speed by milepost and 5 minutes, over all lanes of a milepost.
select r.bucket, s.milepost, sum(r.sum_qv) / nullif(sum(r.sum_q), 0) as speed,
       sum(r.flow) as flow
from traffic.readings_5min r
join traffic.sensors s using (sensor_id)
where s.road = %(road)s and s.direction is not distinct from %(direction)s
  and s.milepost is not null and r.bucket >= %(start)s and r.bucket < %(end)s
group by r.bucket, s.milepost
order by r.bucket, s.milepost
