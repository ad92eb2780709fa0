select count(*)
from pg_temp.rebuilt_outcomes o
join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
where o.event_date = %(day)s and o.waiting and o.reason is not null
  and q.resolved_at is null and (q.reason, q.detail) <> (o.reason, o.detail)
