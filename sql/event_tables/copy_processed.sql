copy traffic.processed_events
    (topic_no, partition, "offset", sensor_id, "timestamp",
     --| measures {m},
     quality_score, quality_flags, format, batch_id, event_no, interval_s)
from stdin (format binary)
