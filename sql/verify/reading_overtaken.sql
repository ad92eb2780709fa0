-- Readings of an earlier event, although a later one has the same sensor and time.
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', sensor_id, 'timestamp', "timestamp") as key,
       format('the event of order time %%s, topic_no %%s, partition %%s, offset %%s, event_no %%s',
              r.order_time, p.topic_no, p.partition, p."offset", p.event_no) as expected,
       format('the earlier one of order time %%s, topic_no %%s, partition %%s, offset %%s, event_no %%s',
              coalesce(d.order_time, d.broker_timestamp), d.topic_no, d.partition, d."offset", d.event_no) as found
from traffic.processed_events p
join traffic.traffic_readings d using (sensor_id, "timestamp")
join (
    select topic_no, partition, "offset",
--| parts/order_time
           as order_time
    from traffic.raw_events r
) r on r.topic_no = p.topic_no and r.partition = p.partition and r."offset" = p."offset"
where (r.order_time, p.topic_no, p.partition, p."offset", p.event_no)
      > (coalesce(d.order_time, d.broker_timestamp), d.topic_no, d.partition, d."offset", d.event_no)
  and (p.topic_no, p.partition, p."offset", p.event_no)
      <> (d.topic_no, d.partition, d."offset", d.event_no)
order by sensor_id, "timestamp", r.order_time desc, p.topic_no desc, p.partition desc,
         p."offset" desc, p.event_no desc
limit %(limit)s
