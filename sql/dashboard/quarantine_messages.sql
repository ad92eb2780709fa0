-- The newest messages in quarantine; of large ones the beginning.
select t.name as topic, q.partition, q."offset", q.reason, q.detail,
       substring(q.key from 1 for 256) as key, substring(q.value from 1 for 2048) as value,
       octet_length(q.value) as value_bytes, q.quarantined_at
from traffic.quarantined_events q
join traffic.topics t using (topic_no)
where q.resolved_at is null and (%(reason)s::text is null or q.reason = %(reason)s)
order by q.quarantined_at desc, q.topic_no, q.partition, q."offset" desc
limit %(limit)s
