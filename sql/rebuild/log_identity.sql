select t.name, t.kafka_topic_id
from traffic.topics t
join traffic.kafka_offsets o using (topic_no)
where topic_no = %(topic_no)s and o.partition = %(partition)s and o.active
