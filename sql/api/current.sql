-- The newest reading of each sensor from the last five minutes: one search of the primary key a sensor.
-- Events may be a few minutes ahead of the clock. Returns the number of readings, and the items as JSON
-- by sensor.
select count(*)::bigint as total,
       convert_to(coalesce(string_agg(
           traffic.reading_json(n.sensor_id, n."timestamp",
                                --| measures n.{m},
                                n.quality_score), ',' order by n.sensor_id), ''), 'UTF8') as items
from traffic.sensors s
cross join lateral (
    select r.sensor_id, r."timestamp",
           --| measures r.{m},
           r.quality_score
    from traffic.traffic_readings r
    where r.sensor_id = s.sensor_id and r."timestamp" > now() - interval '5 minutes'
    order by r."timestamp" desc
    limit 1
) n
