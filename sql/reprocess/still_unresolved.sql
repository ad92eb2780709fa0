select k.number
from unnest(%(topic_no)s::smallint[], %(partition)s::integer[], %(offset)s::bigint[],
            %(event_no)s::smallint[])
     with ordinality as k (topic_no, partition, "offset", event_no, number)
join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
where q.resolved_at is null
order by k.number
