update traffic.quarantined_events q
set resolved_at = %(moment)s, resolution = 'replayed'
from unnest(%(topic_no)s::smallint[], %(partition)s::integer[], %(offset)s::bigint[])
     as k (topic_no, partition, "offset")
where q.topic_no = k.topic_no and q.partition = k.partition and q."offset" = k."offset"
