-- Not the next value of the identity: PostgreSQL logs it in steps of 32, so after a restore or a failover
-- the same topic would get another number than in the headers of its published messages.
insert into traffic.topics (topic_no, name, kafka_topic_id, cluster_id)
overriding system value
select coalesce(max(topic_no), 0) + 1, %(topic)s, %(kafka_topic_id)s, %(cluster_id)s
from traffic.topics
returning topic_no
