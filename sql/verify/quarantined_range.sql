select "offset", event_no, reason, detail, rules_version
from traffic.quarantined_events
where topic_no = %(topic_no)s and partition = %(partition)s
  and "offset" >= %(begin)s and "offset" < %(end)s and resolved_at is null
