-- Adds periods, or changes those with the same begin: one statement for all, because a trigger runs after
-- each. `periods` is a JSON array of rows.
insert into traffic.sensor_periods
    (sensor_id, valid_from, interval_s, length_mi, lanes, free_flow_mph, rural, retired,
     inferred_interval_s, inferred_free_flow_mph, source)
select sensor_id, valid_from, interval_s, length_mi, lanes, free_flow_mph, rural, retired,
       inferred_interval_s, inferred_free_flow_mph, source
from jsonb_populate_recordset(null::traffic.sensor_periods, %(periods)s::jsonb)
on conflict (sensor_id, valid_from) do update
set (interval_s, length_mi, lanes, free_flow_mph, rural, retired, inferred_interval_s,
     inferred_free_flow_mph)
    = row (excluded.interval_s, excluded.length_mi, excluded.lanes, excluded.free_flow_mph,
           excluded.rural, excluded.retired, excluded.inferred_interval_s,
           excluded.inferred_free_flow_mph)
