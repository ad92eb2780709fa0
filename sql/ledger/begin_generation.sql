insert into traffic.kafka_offsets
    (topic_no, partition, topic, start_offset, next_offset, last_seen_end)
values
    (%(topic_no)s, %(partition)s, %(topic)s, %(start_offset)s, %(next_offset)s, %(seen_end)s)
