-- The periods of a sensor in their order; null bounds are open.
select nullif(t.valid_from, '-infinity') as valid_from,
       nullif(t.valid_until, 'infinity') as valid_until,
       t.interval_s, t.interval_inferred, t.length_mi, t.lanes, t.free_flow_mph, t.rural, t.retired,
       t.source
from traffic.sensor_timeline t
where t.sensor_id = %(sensor_id)s
order by t.valid_from
