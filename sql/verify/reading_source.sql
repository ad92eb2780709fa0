-- Readings whose provenance is neither an event of their sensor and time nor in a dropped month.
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', d.sensor_id, 'timestamp', d."timestamp") as key,
       'the provenance of an event of this sensor and time in processed_events' as expected,
       format('topic_no %%s, partition %%s, offset %%s, event_no %%s', d.topic_no, d.partition,
              d."offset", d.event_no) as found
from traffic.traffic_readings d
left join traffic.processed_events p
    using (sensor_id, "timestamp", topic_no, partition, "offset", event_no)
where p.batch_id is null
  and not exists (
      select from traffic.dropped_rows g
      where g.table_name = 'processed_events' and g.topic_no = d.topic_no
        and g.partition = d.partition and g.next_offset > d."offset"
        and d."timestamp" >= g.lower_bound and d."timestamp" < g.upper_bound
  )
order by d.sensor_id, d."timestamp"
limit %(limit)s
