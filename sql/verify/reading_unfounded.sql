-- Readings of a sensor and time without an event. The event of their provenance may have another time.
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', d.sensor_id, 'timestamp', d."timestamp") as key,
       'no row, since no event has this sensor and time' as expected,
       format('a reading of topic_no %%s, partition %%s, offset %%s, event_no %%s, ',
              d.topic_no, d.partition, d."offset", d.event_no)
           || coalesce(
               format('whose event is of sensor %%s at %%s', source.sensor_id, source."timestamp"),
               'which processed_events does not hold') as found
from (
    select d.*
    from traffic.traffic_readings d
    left join traffic.processed_events p using (sensor_id, "timestamp")
    where p."offset" is null
      and not exists (
          select from traffic.dropped_rows g
          where g.table_name = 'processed_events' and g.topic_no = d.topic_no
            and g.partition = d.partition and g.next_offset > d."offset"
            and d."timestamp" >= g.lower_bound and d."timestamp" < g.upper_bound
      )
    order by d.sensor_id, d."timestamp"
    limit %(limit)s
) d
left join lateral (
    select s.sensor_id, s."timestamp"
    from traffic.processed_events s
    where s.topic_no = d.topic_no and s.partition = d.partition and s."offset" = d."offset"
      and s.event_no = d.event_no
    limit 1
) source on true
order by d.sensor_id, d."timestamp"
