-- Further views for people.

create view traffic.raw_events_json as
select t.name as topic, r.topic_no, r.partition, r."offset", traffic.try_jsonb(r.value) as value,
       octet_length(r.value) as value_bytes, r.broker_timestamp, r.ingested_at, r.batch_id
from traffic.raw_events r join traffic.topics t using (topic_no);

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
