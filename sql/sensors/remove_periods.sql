-- Removes periods: two arrays of the same length.
delete from traffic.sensor_periods p
using unnest(%(sensor_ids)s::uuid[], %(begins)s::timestamptz[]) g (sensor_id, valid_from)
where p.sensor_id = g.sensor_id and p.valid_from = g.valid_from
