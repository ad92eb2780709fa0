copy traffic.raw_events
    (topic_no, partition, "offset", key, value, headers, broker_timestamp, ingested_at, batch_id,
     order_time)
from stdin (format binary)
