-- Returns each reading with the generation whose recorded change added its event; null for a repair.
with made as (
    insert into traffic.traffic_readings
        (sensor_id, "timestamp",
         --| measures {m},
         quality_score, quality_flags,
         broker_timestamp, topic_no, partition, "offset", created_at, updated_at, event_no, interval_s,
         order_time)
    select sensor_id, "timestamp",
           --| measures {m},
           quality_score, quality_flags,
           broker_timestamp, topic_no, partition, "offset", %(moment)s, %(moment)s,
           event_no, interval_s, nullif(order_time, broker_timestamp)
    from pg_temp.reading_changes
    where topic_no is not null
    order by sensor_id, "timestamp"
    on conflict (sensor_id, "timestamp") do nothing
    returning sensor_id, "timestamp"
), counted as (
    insert into traffic.reading_changes (start, added)
    select to_timestamp(floor(date_part('epoch', "timestamp") / 10) * 10), count(*)
    from made
    group by 1
), gained as (
    select distinct on (o.sensor_id, o."timestamp") o.sensor_id, o."timestamp", topic_no, partition
    from pg_temp.event_changes c
    join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
    where (c.recorded or c.kind = 'enter') and o.sensor_id is not null
    order by o.sensor_id, o."timestamp", o.order_time desc, o.topic_no desc,
             o.partition desc, o."offset" desc, o.event_no desc
)
select sensor_id, "timestamp", topic_no, partition
from made
left join gained using (sensor_id, "timestamp")
