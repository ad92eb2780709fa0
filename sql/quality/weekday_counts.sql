-- Readings of each sensor in each of the given stretches of time, as many as its intervals in [begin, until)
-- would have given; empty stretches are omitted. By sensor, so that the primary key finds each stretch whatever else the partition holds.
select s.sensor_id, stretch.first,
       counted.readings * coalesce(now.expected / nullif(was.expected, 0), 1)::double precision as readings
from traffic.sensors s
cross join unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) stretch (first, following)
cross join lateral (
    select count(*) as readings from traffic.traffic_readings r
    where r.sensor_id = s.sensor_id
      and r."timestamp" >= stretch.first and r."timestamp" < stretch.following
) counted
cross join traffic.expected_samples(s.sensor_id, stretch.first, stretch.following) was (expected)
cross join traffic.expected_samples(s.sensor_id, %(begin)s, %(until)s) now (expected)
where counted.readings > 0
