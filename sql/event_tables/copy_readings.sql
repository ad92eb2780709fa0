copy traffic.traffic_readings
    (sensor_id, "timestamp",
     --| measures {m},
     quality_score, quality_flags,
     broker_timestamp, topic_no, partition, "offset", created_at, updated_at,
     event_no, interval_s, order_time)
from stdin (format binary)
