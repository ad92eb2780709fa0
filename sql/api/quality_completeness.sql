-- Received, good and expected readings of the sensors that reported on a date.
select count(*)::bigint as sensors, coalesce(sum(d.samples), 0)::bigint as readings,
       coalesce(sum(d.good), 0)::bigint as good,
       sum(d.samples) filter (where d.expected_samples is not null)
           / nullif(sum(d.expected_samples), 0) as completeness,
       (select count(*) from traffic.sensors)::bigint as sensors_known
from traffic.readings_daily d
where d.date = %(date)s::date
