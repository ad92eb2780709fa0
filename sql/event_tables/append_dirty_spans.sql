-- Rolled-up buckets of spans of time of some sensors: three arrays of the same length; null begins or ends
-- are open. Spans are widened to local days, because hours and days follow from all periods in them, and
-- by the hour that midnight may split. Roll-ups must be excluded meanwhile; see exclude_rollups in
-- event_tables/dirty_buckets.
insert into traffic.dirty_buckets (sensor_ids, buckets)
select array_agg(r.sensor_id order by r.bucket), array_agg(r.bucket order by r.bucket)
from traffic.platform p
cross join unnest(%(sensor_ids)s::uuid[], %(firsts)s::timestamptz[], %(ends)s::timestamptz[])
    s (sensor_id, first, until)
cross join lateral (
    select r.sensor_id, r.bucket
    from traffic.readings_5min r
    where r.sensor_id = s.sensor_id
      and r.bucket >= coalesce(
          date_trunc('day', s.first, p.timezone) - interval '1 hour', '-infinity')
      and r.bucket < coalesce(
          date_trunc('day', s.until, p.timezone) + interval '26 hours', 'infinity')
) r
group by r.sensor_id, date_trunc('month', r.bucket, 'UTC')
