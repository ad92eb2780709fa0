select h.diagnosis, count(*) as sensors
from traffic.detector_health h
where h.date = %(date)s
group by h.diagnosis
order by sensors desc, h.diagnosis
