-- Measurements of each sensor in [begin, end), from a sample of the pages that is the same each time. Counts
-- as in sensor_days.
select sensor_id, count(*) as days, sum(readings)::bigint as readings,
       sum(expected)::bigint as expected, sum(speed_missing)::bigint as speed_missing,
       sum(volume_missing)::bigint as volume_missing,
       sum(occupancy_missing)::bigint as occupancy_missing,
       sum(scores) / sum(readings)::double precision as score
from (
    select r.sensor_id, count(*) as readings,
           count(*) filter (where r.volume is distinct from 0) as expected,
--| parts/missing_measures
           sum(r.quality_score) as scores
    from traffic.traffic_readings r tablesample system (%(percent)s) repeatable (0)
    where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
    group by r.sensor_id, (r."timestamp" at time zone %(timezone)s)::date
) sensor_day
group by sensor_id
