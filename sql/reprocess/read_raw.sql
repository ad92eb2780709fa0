-- Messages that arrived in a time, in the order of their storing. Times as PostgreSQL sends them
-- (microseconds since 2000, big endian).
select topic_no, partition, "offset", batch_id, timestamptz_send(broker_timestamp),
       timestamptz_send(ingested_at), key, value
from traffic.raw_events
where ingested_at >= %(first)s and ingested_at <= %(last)s
