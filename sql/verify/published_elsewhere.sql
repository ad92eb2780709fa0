-- True if an earlier topic had this name: the messages that were published to it were deleted with it.
select exists (
    select from traffic.topics where name = %(topic)s and kafka_topic_id <> %(topic_id)s
)
