-- A later number of the same topic that this partition has not used: another partition of the topic
-- already continues under it.
select t.topic_no
from traffic.topics t
where t.name = %(topic)s and t.kafka_topic_id = %(kafka_topic_id)s
  and t.cluster_id = %(cluster_id)s and t.topic_no > %(after)s
  and not exists (
      select 1 from traffic.kafka_offsets o
      where o.topic_no = t.topic_no and o.partition = %(partition)s
  )
order by t.topic_no
limit 1
