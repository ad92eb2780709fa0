select k.number
from unnest(%(topic_no)s::smallint[], %(partition)s::integer[], %(offset)s::bigint[])
     with ordinality as k (topic_no, partition, "offset", number)
join traffic.quarantined_events q using (topic_no, partition, "offset")
where q.resolved_at is null
order by k.number
