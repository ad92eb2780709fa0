-- Quartiles of the delay from a reading's time to its arrival at Kafka (s), by sensor. A repeat replaces
-- the broker's time of a reading, so the time at which the reading was created is an upper bound.
select s.sensor_id, s.external_id as sensor, d.readings, d.delay
from (
    select r.sensor_id, count(*) as readings,
--| parts/arrival_delay
    from traffic.traffic_readings r
    where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
      and r.broker_timestamp > '-infinity'
    group by r.sensor_id
    having count(*) >= %(least)s
) d
join traffic.sensors s using (sensor_id)
order by s.external_id
