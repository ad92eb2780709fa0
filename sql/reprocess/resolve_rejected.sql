update traffic.quarantined_events q
set resolved_at = %(moment)s, resolution = 'replayed'
from unnest(%(topic_no)s::smallint[], %(partition)s::integer[], %(offset)s::bigint[],
            %(event_no)s::smallint[])
     as k (topic_no, partition, "offset", event_no)
where q.topic_no = k.topic_no and q.partition = k.partition and q."offset" = k."offset"
  and q.event_no = k.event_no
