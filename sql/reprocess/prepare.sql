-- Months and sensors of the events that will be written. New events are due at this date, changed ones
-- may be due at another.
select array_agg(distinct date_trunc('month', e."timestamp" at time zone 'UTC')::date),
       array_agg(distinct e.sensor_id)
from (
    select o.sensor_id, o."timestamp"
    from pg_temp.rebuilt_outcomes o
    where o.event_date = %(day)s and o.sensor_id is not null
      and exists (select from pg_temp.event_changes c where c.kind in ('enter', 'restore'))
    union all
    select o.sensor_id, o."timestamp"
    from pg_temp.event_changes c
    join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
    where c.kind = 'change' and o.sensor_id is not null
) e
