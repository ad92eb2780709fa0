-- The latest event of each sensor and time that a moved event leaves or joins, with the moved events
-- included. Without any event, only the reading of a moved event is removed: the event of another reading
-- may have been dropped.
insert into pg_temp.reading_changes
select distinct on (sensor_id, "timestamp") *
from (
    select * from pg_temp.neighbours
    union all
    select o.sensor_id, o."timestamp",
           --| measures o.{m},
           o.quality_score,
           o.quality_flags, o.broker_timestamp, o.order_time, o.topic_no, o.partition, o."offset", o.event_no,
           o.interval_s, 'moved'
    from pg_temp.event_changes c
    join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
    where c.kind = 'change' and o.event_date <> %(day)s
) standing
where topic_no is not null or exists (
    select from traffic.traffic_readings d
    join pg_temp.event_changes c
        on c.topic_no = d.topic_no and c.partition = d.partition and c."offset" = d."offset"
        and c.event_no = d.event_no
    where d.sensor_id = standing.sensor_id and d."timestamp" = standing."timestamp"
)
order by sensor_id, "timestamp", order_time desc nulls last, topic_no desc, partition desc,
         "offset" desc, event_no desc
