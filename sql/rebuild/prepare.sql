-- Months and sensors of the events that are about to be written.
select array_agg(distinct date_trunc('month', o."timestamp" at time zone 'UTC')::date),
       array_agg(distinct o.sensor_id)
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset")
where o.sensor_id is not null and c.kind in ('change', 'enter', 'restore')
