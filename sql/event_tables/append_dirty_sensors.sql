-- All rolled-up buckets of some sensors, a row per sensor and month. Roll-ups must be excluded
-- meanwhile; see exclude_rollups in event_tables/dirty_buckets.
insert into traffic.dirty_buckets (sensor_ids, buckets)
select array_agg(r.sensor_id order by r.bucket), array_agg(r.bucket order by r.bucket)
from traffic.readings_5min r
where r.sensor_id = any (%(sensor_ids)s::uuid[])
group by r.sensor_id, date_trunc('month', r.bucket, 'UTC')
