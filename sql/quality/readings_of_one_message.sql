-- Readings of a date whose source event has another reading too.
select coalesce(s.external_id, r.sensor_id::text) as sensor, r."timestamp", r.topic_no,
       r.partition, r."offset", r.event_no
from (
    select *, count(*) over (partition by topic_no, partition, "offset", event_no) as readings
    from traffic.traffic_readings
    where "timestamp" >= %(begin)s and "timestamp" < %(end)s
) r left join traffic.sensors s using (sensor_id)
where r.readings > 1
order by r.topic_no, r.partition, r."offset", r.event_no, r."timestamp"
limit %(sample)s
