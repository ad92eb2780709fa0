copy pg_temp.rebuilt_outcomes
    (topic_no, partition, "offset", event_no, batch_id, by_others, waiting, broker_timestamp,
     order_time, event_date, sensor_id, "timestamp",
     --| measures {m},
     quality_score, quality_flags, format, reason,
     detail, key, value, sent_at, arrived_at, interval_s)
from stdin (format binary)
