copy traffic.quarantined_events
    (topic_no, partition, "offset", reason, detail, key, value, broker_timestamp, quarantined_at,
     batch_id, event_date, event_no, order_time)
from stdin (format binary)
