-- Places, from 0, of those messages in the arrays that Kafka holds already.
select m.place - 1
from unnest(%(routes)s::text[], %(topic_nos)s::smallint[], %(partitions)s::integer[],
            %(offsets)s::bigint[])
     with ordinality as m (route, topic_no, partition, "offset", place)
join traffic.published_ahead a using (route, topic_no, partition, "offset")
