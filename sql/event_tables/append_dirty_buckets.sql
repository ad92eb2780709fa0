-- Buckets of sensors that are to be computed again: two arrays of the same length, the starts of the
-- 5 minutes in UTC. To be run in the transaction that changes the readings.
insert into traffic.dirty_buckets (sensor_ids, buckets)
values (%(sensor_ids)s::uuid[], %(buckets)s::timestamptz[])
