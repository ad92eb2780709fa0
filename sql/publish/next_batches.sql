-- Some batches after each position, oldest first. In compacted audit rows, compacted while nothing was
-- published, the batches are those that the events carry.
select b.batch_id, w.topic_no, w.partition, b.next_offset, b.raw, b.first_date, b.last_date
from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
     as w (topic_no, partition, position)
cross join lateral (
    -- A position lies inside a batch where the last messages of the batch were rejected.
    select coalesce(max(b.first_offset), w.position) as first_offset
    from traffic.micro_batches b
    where b.topic_no = w.topic_no and b.partition = w.partition and b.first_offset <= w.position
      and b.kind = 'ingest'
) begun
cross join lateral (
    select single.batch_id, single.next_offset, single.raw,
           (select min(d) from unnest(b.event_dates) d) as first_date,
           (select max(d) from unnest(b.event_dates) d) as last_date
    from (
        select *
        from traffic.micro_batches b
        where b.topic_no = w.topic_no and b.partition = w.partition and b.kind = 'ingest'
          and b.first_offset >= begun.first_offset and b.next_offset > w.position
        order by b.first_offset
        limit %(batches)s
    ) b
    cross join lateral (
        select b.batch_id, b.next_offset, b.raw
        where b.last_batch_id is null
        union all
        -- The last batch of a compacted row ends where the row ends.
        select p.batch_id, coalesce(lead(p.first_offset) over (order by p.batch_id), b.next_offset),
               p.events
        from (
            select p.batch_id, min(p."offset") as first_offset, count(*) as events
            from traffic.processed_events p
            where p.batch_id between b.batch_id and b.last_batch_id
              and p.topic_no = w.topic_no and p.partition = w.partition
              and p."offset" >= w.position
            group by p.batch_id
            order by p.batch_id
            limit %(batches)s + 1
        ) p
        union all
        select b.batch_id, b.next_offset, 0
        where b.last_batch_id is not null
          and not exists (
              select from traffic.processed_events p
              where p.batch_id between b.batch_id and b.last_batch_id
                and p.topic_no = w.topic_no and p.partition = w.partition
                and p."offset" >= w.position
          )
    ) single
    order by b.first_offset, single.batch_id
    limit %(batches)s
) b
order by b.batch_id, w.topic_no, w.partition
