-- Readings of a sensor by its primary key: their number, counted up to one more than `most`, and the
-- items as JSON.
with found as materialized (
    select r.sensor_id, r."timestamp",
           --| measures r.{m},
           r.quality_score
    from traffic.traffic_readings r
    where r.sensor_id = %(sensor_id)s and r."timestamp" >= %(from)s and r."timestamp" < %(to)s
    order by r."timestamp"
    limit %(most)s + 1
)
select count(*)::bigint as total,
       convert_to(coalesce(string_agg(
           traffic.reading_json(sensor_id, "timestamp",
                                --| measures {m},
                                quality_score), ',' order by "timestamp"), ''), 'UTF8') as items
from found
