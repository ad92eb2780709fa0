-- Whether a topic of this name was there before the one that is now: what was published to it went
-- with it.
select exists (
    select from traffic.topics where name = %(topic)s and kafka_topic_id <> %(topic_id)s
)
