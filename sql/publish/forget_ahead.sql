-- The saved positions are behind these messages now.
delete from traffic.published_ahead a
using unnest(%(routes)s::text[], %(topic_nos)s::smallint[], %(partitions)s::integer[],
             %(offsets)s::bigint[]) as n (route, topic_no, partition, "offset")
where a.route = n.route and a.topic_no = n.topic_no and a.partition = n.partition
  and a."offset" = n."offset"
