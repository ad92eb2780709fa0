-- The latest of the new events at each sensor and time, where it is later than the stored reading.
-- The bounds add no condition; they keep PostgreSQL from reading every month.
insert into pg_temp.reading_changes
with winner as materialized (
    select distinct on (o.sensor_id, o."timestamp") o.*
    from pg_temp.event_changes c
    join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
    order by o.sensor_id, o."timestamp", o.order_time desc, o.topic_no desc,
             o.partition desc, o."offset" desc, o.event_no desc
)
select w.sensor_id, w."timestamp",
       --| measures w.{m},
       w.quality_score,
       w.quality_flags, w.broker_timestamp, w.order_time, w.topic_no, w.partition, w."offset",
       w.event_no, w.interval_s,
       case when r.sensor_id is null then 'add' else 'change' end
from winner w
left join traffic.traffic_readings r
    on r.sensor_id = w.sensor_id and r."timestamp" = w."timestamp"
    and r."timestamp" >= (select min("timestamp") from winner)
    and r."timestamp" <= (select max("timestamp") from winner)
where r.sensor_id is null
   or (coalesce(r.order_time, r.broker_timestamp), r.topic_no, r.partition, r."offset", r.event_no)
      < (w.order_time, w.topic_no, w.partition, w."offset", w.event_no)
