-- The newest reading of each sensor from the last five minutes, of slower sensors from their last three
-- intervals: one search of the primary key a sensor. Three weeks at most, so that old partitions are
-- pruned.
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
    where r.sensor_id = s.sensor_id
      and r."timestamp" > now() - greatest(
          interval '5 minutes',
          make_interval(secs => 3 * least(coalesce(s.interval_s, s.inferred_interval_s), 604800)
                                ::double precision))
      and r."timestamp" > now() - interval '21 days'
    order by r."timestamp" desc
    limit 1
) n
