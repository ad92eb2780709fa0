-- Everything that there is of some sensors, a row a sensor and month. Whoever changes what roll-ups
-- are computed with keeps other folds out meanwhile: see derived/rollups/exclusive.
insert into traffic.dirty_buckets (sensor_ids, buckets)
select array_agg(r.sensor_id order by r.bucket), array_agg(r.bucket order by r.bucket)
from traffic.readings_5min r
where r.sensor_id = any (%(sensor_ids)s::uuid[])
group by r.sensor_id, date_trunc('month', r.bucket, 'UTC')
