-- The next offset of each generation that is published from.
select topic_no, partition, next_offset
from traffic.kafka_offsets
where topic = %(raw_topic)s or 'quarantine' = any(%(routes)s)
