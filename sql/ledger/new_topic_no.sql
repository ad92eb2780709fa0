insert into traffic.topics (name, kafka_topic_id, cluster_id)
values (%(topic)s, %(kafka_topic_id)s, %(cluster_id)s)
returning topic_no
