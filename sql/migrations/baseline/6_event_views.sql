-- Views of events for people. The migration from 0.1.0 runs this file, too. New columns stand at the
-- end, so that rights on the views and views of the user on them stay.

create or replace view traffic.processed_events_detail as
select t.name as topic, p.topic_no, p.partition, p."offset", p.sensor_id, p."timestamp", p.speed,
       p.volume, p.occupancy, p.quality_score, p.quality_flags, p.format, p.batch_id,
       s.external_id, s.name as sensor_name, p.event_no, p.interval_s
from traffic.processed_events p
join traffic.topics t using (topic_no)
left join traffic.sensors s using (sensor_id);

create or replace view traffic.traffic_readings_detail as
select r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy, r.quality_score, r.quality_flags,
       r.broker_timestamp, r.topic_no, r.partition, r."offset", r.created_at, r.updated_at, r.id,
       s.external_id, s.name as sensor_name, s.road, s.direction, s.milepost, s.station_id,
       r.event_no, r.interval_s
from traffic.traffic_readings r join traffic.sensors s using (sensor_id);

create or replace view traffic.quarantined_events_detail as
select t.name as topic, q.topic_no, q.partition, q."offset", q.reason, q.detail, q.key, q.value,
       q.broker_timestamp, q.quarantined_at, q.batch_id, q.resolved_at, q.resolution,
       traffic.try_jsonb(q.value) as value_json, q.event_no
from traffic.quarantined_events q join traffic.topics t using (topic_no);
