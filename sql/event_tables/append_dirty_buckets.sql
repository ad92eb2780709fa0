-- Dirty buckets of sensors: two arrays of the same length, the starts of the 5 minutes in UTC. Run it in
-- the transaction that changes the readings.
insert into traffic.dirty_buckets (sensor_ids, buckets)
values (%(sensor_ids)s::uuid[], %(buckets)s::timestamptz[])
