-- The newest quarantined messages of a date.
select t.name as topic, q.partition, q."offset", q.reason, q.detail, q.quarantined_at
from traffic.quarantined_events q join traffic.topics t using (topic_no)
where q.event_date = %(day)s and q.resolved_at is null
order by q.quarantined_at desc, q.topic_no, q.partition, q."offset" desc
limit %(sample)s
