-- Sensors and times of other dates that an event has left or come to: their latest event, told from
-- all that are stored.
insert into pg_temp.reading_changes
with moved as (
    select c.was_sensor_id as sensor_id, c.was_timestamp as "timestamp"
    from pg_temp.event_changes c
    where c.kind = 'change' and c.was_date <> %(day)s
    union
    select o.sensor_id, o."timestamp"
    from pg_temp.event_changes c
    join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset")
    where c.kind = 'change' and o.event_date <> %(day)s
)
select m.sensor_id, m."timestamp", w.speed, w.volume, w.occupancy, w.quality_score, w.quality_flags,
       w.broker_timestamp, w.topic_no, w.partition, w."offset", 'moved'
from moved m
left join lateral (
    select p.*, least(coalesce(r.broker_timestamp, '-infinity'), r.ingested_at) as broker_timestamp
    from traffic.processed_events p
    join traffic.raw_events r using (topic_no, partition, "offset")
    where p.sensor_id = m.sensor_id and p."timestamp" = m."timestamp"
    order by least(coalesce(r.broker_timestamp, '-infinity'), r.ingested_at) desc, p.topic_no desc, p.partition desc, p."offset" desc
    limit 1
) w on true
