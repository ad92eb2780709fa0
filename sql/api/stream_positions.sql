-- Next offset of every partition generation.
select topic_no, partition, next_offset from traffic.kafka_offsets
