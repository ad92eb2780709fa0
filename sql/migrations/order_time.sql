-- Add order times and the number of superseded events. All locks come first, so that nothing is done in
-- vain when a reader is in the way. Views come before their tables, as readers lock them.
lock table traffic.traffic_readings_detail, traffic.quarantined_events_detail, traffic.raw_events_json,
    traffic.raw_events, traffic.traffic_readings, traffic.quarantined_events, traffic.micro_batches,
    traffic.kafka_offsets in access exclusive mode;

-- Nullable columns and constant defaults are facts of the catalogue: no row is read or written. Rows from
-- before this migration keep the order that decided their readings: by the clamped broker time alone.
alter table traffic.raw_events add column order_time timestamptz;
alter table traffic.traffic_readings add column order_time timestamptz;
alter table traffic.quarantined_events add column order_time timestamptz;
alter table traffic.micro_batches
    add column superseded bigint not null default 0,
    add column order_floor timestamptz;
alter table traffic.kafka_offsets
    add column order_time timestamptz not null default 'epoch';

-- The next message of a partition is later than all before it. Of messages that retention dropped, only
-- the last arrival is known, and none of them was ordered after it.
with latest as (
    select topic_no, partition,
           max(least(coalesce(broker_timestamp, '-infinity'), ingested_at)) as order_time
    from traffic.raw_events
    group by topic_no, partition
    union all
    select topic_no, partition, max(newest_arrival)
    from traffic.dropped_rows
    where table_name = 'raw_events'
    group by topic_no, partition
)
update traffic.kafka_offsets o
set order_time = greatest(l.order_time, 'epoch')
from (
    select topic_no, partition, max(order_time) as order_time from latest group by topic_no, partition
) l
where o.topic_no = l.topic_no and o.partition = l.partition;

create or replace view traffic.traffic_readings_detail as
select r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy, r.quality_score, r.quality_flags,
       r.broker_timestamp, r.topic_no, r.partition, r."offset", r.created_at, r.updated_at, r.id,
       s.external_id, s.name as sensor_name, s.road, s.direction, s.milepost, s.station_id,
       r.event_no, r.interval_s, r.order_time
from traffic.traffic_readings r join traffic.sensors s using (sensor_id);

create or replace view traffic.quarantined_events_detail as
select t.name as topic, q.topic_no, q.partition, q."offset", q.reason, q.detail, q.key, q.value,
       q.broker_timestamp, q.quarantined_at, q.batch_id, q.resolved_at, q.resolution,
       traffic.try_jsonb(q.value) as value_json, q.event_no, q.order_time
from traffic.quarantined_events q join traffic.topics t using (topic_no);

create or replace view traffic.raw_events_json as
select t.name as topic, r.topic_no, r.partition, r."offset", traffic.try_jsonb(r.value) as value,
       octet_length(r.value) as value_bytes, r.broker_timestamp, r.ingested_at, r.batch_id, r.order_time
from traffic.raw_events r join traffic.topics t using (topic_no);
