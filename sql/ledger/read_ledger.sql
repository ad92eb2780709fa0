select o.topic_no, o.partition, o.start_offset, o.next_offset, o.leader_epoch, o.last_seen_end,
       t.kafka_topic_id, t.cluster_id, o.order_time
from traffic.kafka_offsets o
join traffic.topics t using (topic_no)
where o.topic = %(topic)s and o.active
order by o.partition
