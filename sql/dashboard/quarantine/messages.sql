-- The newest unresolved rejected messages, with the first bytes of large keys and values.
with newest as (
    select *
    from traffic.quarantined_events
    where resolved_at is null and (%(reason)s::text is null or reason = %(reason)s)
    order by quarantined_at desc, topic_no, partition, "offset" desc, event_no
    limit %(limit)s
)
select t.name as topic, q.partition, q."offset", q.reason, q.detail,
       substring(q.key from 1 for 256) as key, substring(q.value from 1 for 2048) as value,
       octet_length(q.value) as value_bytes,
       coalesce(q.broker_timestamp, q.quarantined_at) as arrived
from newest q
join traffic.topics t using (topic_no)
order by arrived desc, q.topic_no desc, q.partition, q."offset" desc, q.event_no
