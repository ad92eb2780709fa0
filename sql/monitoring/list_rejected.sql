select t.name as topic, q.topic_no, q.partition, q."offset", q.reason, q.detail,
       coalesce(q.broker_timestamp, q.quarantined_at) as arrived, q.resolved_at
from traffic.quarantined_events q
join traffic.topics t using (topic_no)
--| parts/rejected_filter
order by arrived desc, q.topic_no desc, q.partition, q."offset" desc, q.event_no
limit %(limit)s
