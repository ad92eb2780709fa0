-- The periods of sensors in their order. A first period without a begin applies since the beginning.
select sensor_id, nullif(valid_from, '-infinity') as valid_from, interval_s, length_mi, lanes,
       free_flow_mph, rural, retired, inferred_interval_s, inferred_free_flow_mph, source
from traffic.sensor_periods
where sensor_id = any (%(sensor_ids)s)
order by sensor_id, sensor_periods.valid_from
