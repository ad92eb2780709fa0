-- Readings that differ from the event that their provenance names, in measures, broker time or
-- order time.
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', sensor_id, 'timestamp', "timestamp") as key,
       concat_ws(', ',
           --| measures case when p.{m} is distinct from d.{m} then '{m} ' || coalesce(p.{m}::text, 'null') end,
           case when p.quality_score <> d.quality_score
                then 'quality_score ' || p.quality_score end,
           case when p.quality_flags <> d.quality_flags
                then 'quality_flags ' || p.quality_flags end,
           case when p.interval_s is distinct from d.interval_s
                then 'interval_s ' || coalesce(p.interval_s::text, 'null') end,
           case when r.broker_timestamp <> d.broker_timestamp
                then 'broker_timestamp ' || r.broker_timestamp end,
           case when r.order_time <> coalesce(d.order_time, d.broker_timestamp)
                then 'order_time ' || r.order_time end
       ) || format(' as in the event of topic_no %%s, partition %%s, offset %%s, event_no %%s',
                   d.topic_no, d.partition, d."offset", d.event_no) as expected,
       concat_ws(', ',
           --| measures case when p.{m} is distinct from d.{m} then '{m} ' || coalesce(d.{m}::text, 'null') end,
           case when p.quality_score <> d.quality_score
                then 'quality_score ' || d.quality_score end,
           case when p.quality_flags <> d.quality_flags
                then 'quality_flags ' || d.quality_flags end,
           case when p.interval_s is distinct from d.interval_s
                then 'interval_s ' || coalesce(d.interval_s::text, 'null') end,
           case when r.broker_timestamp <> d.broker_timestamp
                then 'broker_timestamp ' || d.broker_timestamp end,
           case when r.order_time <> coalesce(d.order_time, d.broker_timestamp)
                then 'order_time ' || coalesce(d.order_time, d.broker_timestamp) end
       ) as found
from traffic.processed_events p
join traffic.traffic_readings d using (sensor_id, "timestamp", topic_no, partition, "offset", event_no)
join (
    select topic_no, partition, "offset",
           least(coalesce(broker_timestamp, '-infinity'), ingested_at) as broker_timestamp,
--| parts/order_time
           as order_time
    from traffic.raw_events r
) r using (topic_no, partition, "offset")
where
   --| measures[ or] p.{m} is distinct from d.{m}
   or p.quality_score <> d.quality_score
   or p.quality_flags <> d.quality_flags or p.interval_s is distinct from d.interval_s
   or r.broker_timestamp <> d.broker_timestamp
   or r.order_time <> coalesce(d.order_time, d.broker_timestamp)
order by topic_no, partition, "offset", event_no
limit %(limit)s
