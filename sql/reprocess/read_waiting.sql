select topic_no, partition, "offset", batch_id, timestamptz_send(broker_timestamp),
       timestamptz_send(quarantined_at), timestamptz_send(order_time), key, value
from traffic.quarantined_events
where resolved_at is null
order by topic_no, partition, "offset", event_no
