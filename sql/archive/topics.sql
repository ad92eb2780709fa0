select topic_no, name, kafka_topic_id, cluster_id from traffic.topics
