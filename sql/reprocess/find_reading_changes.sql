-- Differences between the stored readings of a date and the latest event of each sensor and time. A
-- reading whose message raw does not hold stays, unless a later event exists.
insert into pg_temp.reading_changes
with winner as (
    select distinct on (sensor_id, "timestamp") *
    from pg_temp.rebuilt_outcomes
    where event_date = %(day)s and sensor_id is not null
    order by sensor_id, "timestamp", order_time desc, topic_no desc, partition desc, "offset" desc,
             event_no desc
), stored as (
    select * from traffic.traffic_readings
    where "timestamp" >= %(first)s and "timestamp" < %(until)s
), differing as materialized (
    select sensor_id, "timestamp",
           --| measures w.{m},
           w.quality_score,
           w.quality_flags, w.broker_timestamp, w.order_time, w.topic_no, w.partition, w."offset", w.event_no,
           w.interval_s, coalesce(r.order_time, r.broker_timestamp) as was_order_time, r.topic_no as was_topic_no,
           r.partition as was_partition, r."offset" as was_offset, r.event_no as was_event_no
    from winner w
    full join stored r using (sensor_id, "timestamp")
    where (w.topic_no, w.partition, w."offset", w.event_no, w.broker_timestamp, w.order_time,
           --| measures w.{m},
           w.quality_score, w.quality_flags, w.interval_s)
          is distinct from
          (r.topic_no, r.partition, r."offset", r.event_no, r.broker_timestamp,
           coalesce(r.order_time, r.broker_timestamp),
           --| measures r.{m},
           r.quality_score, r.quality_flags, r.interval_s)
)
select d.sensor_id, d."timestamp",
       --| measures d.{m},
       d.quality_score, d.quality_flags,
       d.broker_timestamp, d.order_time, d.topic_no, d.partition, d."offset", d.event_no, d.interval_s,
       case when d.was_topic_no is null then 'add' when d.topic_no is null then 'remove'
            else 'change' end
from differing d
left join pg_temp.rebuilt_outcomes o
    on o.topic_no = d.was_topic_no and o.partition = d.was_partition and o."offset" = d.was_offset
    and o.event_no = d.was_event_no
where d.was_topic_no is null
   or o.topic_no is not null
   or (d.order_time, d.topic_no, d.partition, d."offset", d.event_no)
      > (d.was_order_time, d.was_topic_no, d.was_partition, d.was_offset, d.was_event_no)
