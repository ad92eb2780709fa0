-- Sensors by diagnosis on a date.
select h.diagnosis, count(*)::bigint as sensors, max(h.computed_at) as computed_at
from traffic.detector_health h
where h.date = %(date)s::date
group by h.diagnosis
order by h.diagnosis
