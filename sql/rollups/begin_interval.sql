-- A period with another inferred interval, with the other values of the period before it. Returns the
-- period's begin: the 5-minute bound nearest to `at`, but not before the current period.
insert into traffic.sensor_periods as p
    (sensor_id, valid_from, interval_s, length_mi, lanes, free_flow_mph, rural, retired,
     inferred_interval_s, inferred_free_flow_mph, source)
select s.sensor_id, greatest(s.valid_from, b.bound), s.interval_s, s.length_mi, s.lanes,
       s.free_flow_mph, s.rural, s.retired, %(after)s, s.inferred_free_flow_mph, 'inferred'
from traffic.sensors s
cross join lateral (
    select date_bin('5 minutes', %(at)s::timestamptz + interval '150 seconds',
                    '2000-01-01 00:00+00') as bound
) b
where s.sensor_id = %(sensor_id)s
on conflict (sensor_id, valid_from) do update
set inferred_interval_s = excluded.inferred_interval_s
returning nullif(p.valid_from, '-infinity')
