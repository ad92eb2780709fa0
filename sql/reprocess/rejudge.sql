-- Messages that stay in quarantine with another reason or detail.
update traffic.quarantined_events q
set reason = o.reason, detail = o.detail, rules_version = %(rules_version)s
from pg_temp.rebuilt_outcomes o
where (%(day)s::date is null or o.event_date = %(day)s) and o.waiting and o.reason is not null
  and q.topic_no = o.topic_no and q.partition = o.partition and q."offset" = o."offset"
  and q.event_no = o.event_no
  and q.resolved_at is null and (q.reason, q.detail) <> (o.reason, o.detail)
