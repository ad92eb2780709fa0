select h.date, count(*) filter (where h.diagnosis = 'good') as good,
       count(*) filter (where h.diagnosis <> 'not_evaluated') as evaluated
from traffic.detector_health h
where h.date between %(first)s and %(day)s
group by h.date
order by h.date
