-- The sensors with most repeated events in these batches.
select s.external_id as sensor, sum(again.times - 1)::bigint as repeats,
       count(*) as readings_repeated, min(again."timestamp") as first, max(again."timestamp") as last
from (
    select p.sensor_id, p."timestamp", count(*) as times
    from traffic.processed_events p
    where p.batch_id between %(first)s and %(last)s
    group by p.sensor_id, p."timestamp"
    having count(*) > 1
) again
join traffic.sensors s using (sensor_id)
group by s.external_id
order by repeats desc, sensor
limit %(sample)s
