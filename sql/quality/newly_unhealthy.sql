-- Detectors that are not good on the date, but were at their last evaluation in the history before.
select s.external_id as sensor, h.diagnosis, h.seen, before.date as "last good"
from traffic.detector_health h
join traffic.sensors s using (sensor_id)
join lateral (
    select b.date, b.diagnosis
    from traffic.detector_health b
    where b.sensor_id = h.sensor_id and b.date >= %(first)s and b.date < h.date
      and b.diagnosis <> 'not_evaluated'
    order by b.date desc
    limit 1
) before on before.diagnosis = 'good'
where h.date = %(day)s and h.diagnosis not in ('good', 'not_evaluated')
order by s.external_id
