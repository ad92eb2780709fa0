-- The messages of a generation are later than those of the generation before it.
insert into traffic.kafka_offsets
    (topic_no, partition, topic, start_offset, next_offset, last_seen_end, order_time)
values
    (%(topic_no)s, %(partition)s, %(topic)s, %(start_offset)s, %(next_offset)s, %(seen_end)s,
     (select coalesce(max(o.order_time), 'epoch')
      from traffic.kafka_offsets o
      where o.topic = %(topic)s and o.partition = %(partition)s))
