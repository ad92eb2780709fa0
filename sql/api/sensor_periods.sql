-- The periods of a sensor in their order; null: since the beginning.
select nullif(t.valid_from, '-infinity') as valid_from, t.interval_s::double precision as interval_s,
       t.length_mi, t.lanes, t.free_flow_mph, t.rural, t.retired, t.source
from traffic.sensor_timeline t
where t.sensor_id = %(sensor_id)s
order by t.valid_from
