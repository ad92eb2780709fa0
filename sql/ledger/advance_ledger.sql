-- Compare and set: a row advances only from where the batch started. Rows are locked in key order, the
-- same everywhere, so that two transactions never deadlock.
with moves as (
    select *
    from unnest(
        %(topic_no)s::smallint[], %(partition)s::integer[], %(first_offset)s::bigint[],
        %(next_offset)s::bigint[], %(leader_epoch)s::integer[], %(seen_end)s::bigint[],
        %(order_time)s::timestamptz[]
    ) as m (topic_no, partition, first_offset, next_offset, leader_epoch, seen_end, order_time)
), locked as materialized (
    select o.topic_no, o.partition
    from traffic.kafka_offsets o
    join moves m using (topic_no, partition)
    order by o.topic_no, o.partition
    for update of o
)
update traffic.kafka_offsets o
set next_offset = m.next_offset,
    leader_epoch = coalesce(m.leader_epoch, o.leader_epoch),
    last_seen_end = greatest(m.seen_end, m.next_offset, o.last_seen_end),
    order_time = m.order_time,
    updated_at = now()
from moves m
join locked using (topic_no, partition)
where o.topic_no = m.topic_no and o.partition = m.partition
  and o.next_offset = m.first_offset and o.active
