-- The batches that follow the positions of some logs, oldest first, a few of each log.
select b.batch_id, w.topic_no, w.partition, b.next_offset, b.raw,
       (select min(d) from unnest(b.event_dates) d) as first_date,
       (select max(d) from unnest(b.event_dates) d) as last_date
from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
     as w (topic_no, partition, position)
cross join lateral (
    -- A position lies inside a batch where its last messages were no events.
    select coalesce(max(b.first_offset), w.position) as first_offset
    from traffic.micro_batches b
    where b.topic_no = w.topic_no and b.partition = w.partition and b.first_offset <= w.position
      and b.kind = 'window'
) begun
cross join lateral (
    select *
    from traffic.micro_batches b
    where b.topic_no = w.topic_no and b.partition = w.partition and b.kind = 'window'
      and b.first_offset >= begun.first_offset and b.next_offset > w.position
    order by b.first_offset
    limit %(batches)s
) b
order by b.batch_id, w.topic_no, w.partition
