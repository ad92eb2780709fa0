-- Views for people. New columns stand at the end, so that `create or replace view` can add them.

create view traffic.raw_events_json as
select t.name as topic, r.topic_no, r.partition, r."offset", traffic.try_jsonb(r.value) as value,
       octet_length(r.value) as value_bytes, r.broker_timestamp, r.ingested_at, r.batch_id
from traffic.raw_events r join traffic.topics t using (topic_no);

create view traffic.processed_events_detail as
select t.name as topic, p.topic_no, p.partition, p."offset", p.sensor_id, p."timestamp", p.speed,
       p.volume, p.occupancy, p.quality_score, p.quality_flags, p.format, p.batch_id,
       s.external_id, s.name as sensor_name, p.event_no, p.interval_s
from traffic.processed_events p
join traffic.topics t using (topic_no)
left join traffic.sensors s using (sensor_id);

create view traffic.traffic_readings_detail as
select r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy, r.quality_score, r.quality_flags,
       r.broker_timestamp, r.topic_no, r.partition, r."offset", r.created_at, r.updated_at, r.id,
       s.external_id, s.name as sensor_name, s.road, s.direction, s.milepost, s.station_id,
       r.event_no, r.interval_s
from traffic.traffic_readings r join traffic.sensors s using (sensor_id);

create view traffic.quarantined_events_detail as
select t.name as topic, q.topic_no, q.partition, q."offset", q.reason, q.detail, q.key, q.value,
       q.broker_timestamp, q.quarantined_at, q.batch_id, q.resolved_at, q.resolution,
       traffic.try_jsonb(q.value) as value_json, q.event_no
from traffic.quarantined_events q join traffic.topics t using (topic_no);

-- Diagnoses with the sensor, the day since which it has this diagnosis, and the last good day. Days that
-- were not evaluated lie in between without ending anything.
create view traffic.detector_health_detail as
select h.*, s.external_id, s.name as sensor_name, s.road, s.direction, s.milepost, s.station_id,
       s.origin, since.date as since, good.date as last_good
from traffic.detector_health h
join traffic.sensors s using (sensor_id)
left join lateral (
    select p.date
    from traffic.detector_health p
    where p.sensor_id = h.sensor_id and p.date < h.date
      and p.diagnosis not in (h.diagnosis, 'not_evaluated')
    order by p.date desc
    limit 1
) before on true
left join lateral (
    select p.date
    from traffic.detector_health p
    where p.sensor_id = h.sensor_id and p.date > coalesce(before.date, '-infinity')
      and p.diagnosis = h.diagnosis
    order by p.date
    limit 1
) since on true
left join lateral (
    select p.date
    from traffic.detector_health p
    where p.sensor_id = h.sensor_id and p.date <= h.date and p.diagnosis = 'good'
    order by p.date desc
    limit 1
) good on true;
