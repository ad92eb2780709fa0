-- Events without a reading of their sensor and time.
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', p.sensor_id, 'timestamp', p."timestamp") as key,
       format('a reading, since processed_events (topic_no %%s, partition %%s, offset %%s, event_no %%s) has an event',
              p.topic_no, p.partition, p."offset", p.event_no) as expected,
       'none' as found
from traffic.processed_events p
left join traffic.traffic_readings d using (sensor_id, "timestamp")
where d."offset" is null
order by p.topic_no, p.partition, p."offset", p.event_no
limit %(limit)s
