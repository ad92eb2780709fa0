-- All messages that arrived on a day. Times are sent as PostgreSQL's integers (microseconds since 2000,
-- big endian), which numpy reads in one call.
select topic_no, partition, "offset", key, value, headers, timestamptz_send(broker_timestamp),
       timestamptz_send(ingested_at), batch_id, timestamptz_send(order_time)
from traffic.raw_events
where ingested_at >= %(lower)s and ingested_at < %(upper)s
