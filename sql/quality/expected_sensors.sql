-- Sensors that are not retired at `until`, and how many readings their intervals in [begin, until) let expect
-- for one in [first, begin), over the same time.
select s.sensor_id, s.external_id,
       coalesce(now.expected / nullif(extract(epoch from %(until)s::timestamptz - %(begin)s), 0)
                / nullif(was.expected / extract(epoch from %(begin)s::timestamptz - %(first)s), 0), 1)
           ::double precision as scale
from traffic.sensors s
cross join traffic.expected_samples(s.sensor_id, %(first)s, %(begin)s) was (expected)
cross join traffic.expected_samples(s.sensor_id, %(begin)s, %(until)s) now (expected)
where not exists (
    select from traffic.sensor_timeline t
    where t.sensor_id = s.sensor_id and t.retired
      and t.valid_from < %(until)s and t.valid_until > %(begin)s
)
order by s.external_id
