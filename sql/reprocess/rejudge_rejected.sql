update traffic.quarantined_events q
set reason = k.reason, detail = k.detail, rules_version = %(rules_version)s
from unnest(%(topic_no)s::smallint[], %(partition)s::integer[], %(offset)s::bigint[],
            %(event_no)s::smallint[], %(reason)s::text[], %(detail)s::text[])
     as k (topic_no, partition, "offset", event_no, reason, detail)
where q.topic_no = k.topic_no and q.partition = k.partition and q."offset" = k."offset"
  and q.event_no = k.event_no
