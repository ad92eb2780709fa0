select q.reason, count(*) as messages,
       min(coalesce(q.broker_timestamp, q.quarantined_at)) as oldest,
       max(coalesce(q.broker_timestamp, q.quarantined_at)) as newest
from traffic.quarantined_events q
--| parts/rejected_filter
group by q.reason
order by messages desc, q.reason
