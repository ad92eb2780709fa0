-- Stored events at the sensors and times of other dates that a moved event leaves or joins. Their order
-- time comes from the stage, from raw, or from their reading. An event without any is the earliest.
with moved as materialized (
    select c.was_sensor_id as sensor_id, c.was_timestamp as "timestamp"
    from pg_temp.event_changes c
    where c.kind = 'change' and c.was_date <> %(day)s
    union
    select o.sensor_id, o."timestamp"
    from pg_temp.event_changes c
    join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
    where c.kind = 'change' and o.event_date <> %(day)s
)
insert into pg_temp.neighbours
select m.sensor_id, m."timestamp",
       --| measures p.{m},
       p.quality_score,
       p.quality_flags,
       coalesce(o.broker_timestamp, least(coalesce(r.broker_timestamp, '-infinity'), r.ingested_at),
                d.broker_timestamp, '-infinity'),
       coalesce(o.order_time,
--| parts/order_time
                , d.order_time, d.broker_timestamp, '-infinity'),
       p.topic_no, p.partition, p."offset", p.event_no, p.interval_s, 'moved'
from moved m
left join traffic.processed_events p
    on p.sensor_id = m.sensor_id and p."timestamp" = m."timestamp"
    and p."timestamp" >= (select min("timestamp") from moved)
    and p."timestamp" <= (select max("timestamp") from moved)
    and not exists (
        select from pg_temp.event_changes c
        where c.topic_no = p.topic_no and c.partition = p.partition and c."offset" = p."offset"
          and c.event_no = p.event_no
    )
left join pg_temp.rebuilt_outcomes o
    on o.topic_no = p.topic_no and o.partition = p.partition and o."offset" = p."offset"
    and o.event_no = p.event_no
left join traffic.raw_events r
    on r.batch_id = p.batch_id
    and r.topic_no = p.topic_no and r.partition = p.partition and r."offset" = p."offset"
left join traffic.traffic_readings d
    on d.sensor_id = p.sensor_id and d."timestamp" = p."timestamp"
    and d.topic_no = p.topic_no and d.partition = p.partition and d."offset" = p."offset" and d.event_no = p.event_no
