-- How far the logs that are published from are stored.
select topic_no, partition, next_offset
from traffic.kafka_offsets
where topic = %(raw_topic)s or 'quarantine' = any(%(routes)s)
