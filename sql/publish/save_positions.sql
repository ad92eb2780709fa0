-- A position never decreases: a replaced publisher may save its last position late.
insert into traffic.publications as p
    (topic_no, partition, route, next_position, destination_topic, destination_topic_id,
     destination_partition, destination_next_offset)
select *
from unnest(%(topic_no)s::smallint[], %(partition)s::integer[], %(route)s::text[],
            %(next_position)s::bigint[], %(destination_topic)s::text[],
            %(destination_topic_id)s::text[], %(destination_partition)s::integer[],
            %(destination_next_offset)s::bigint[]) as n
order by 1, 2, 3
on conflict (topic_no, partition, route) do update
set next_position = greatest(p.next_position, excluded.next_position),
    destination_topic = excluded.destination_topic,
    destination_topic_id = excluded.destination_topic_id,
    destination_partition = excluded.destination_partition,
    destination_next_offset = case
        when p.destination_topic_id = excluded.destination_topic_id
         and p.destination_partition = excluded.destination_partition
        then greatest(p.destination_next_offset, excluded.destination_next_offset)
        else excluded.destination_next_offset
    end,
    updated_at = now()
