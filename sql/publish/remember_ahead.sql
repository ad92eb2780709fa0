insert into traffic.published_ahead (route, topic_no, partition, "offset")
select *
from unnest(%(routes)s::text[], %(topic_nos)s::smallint[], %(partitions)s::integer[],
            %(offsets)s::bigint[]) as n
on conflict do nothing
