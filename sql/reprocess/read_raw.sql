-- Messages that arrived from `first` to `last`. Times are sent in PostgreSQL's binary form (microseconds
-- since 2000, big endian).
select topic_no, partition, "offset", batch_id, timestamptz_send(broker_timestamp),
       timestamptz_send(ingested_at), timestamptz_send(order_time), key, value
from traffic.raw_events
where ingested_at >= %(first)s and ingested_at <= %(last)s
