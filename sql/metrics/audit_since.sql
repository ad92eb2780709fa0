-- Sums of the audit for each partition generation from an offset on, over at most %(most)s rows of ingest
-- runs by offset. `straddles` is true if a row covers the offset, because the audit was compacted
-- meanwhile; then the generation is summed again from its start. Corrections by reprocessing and
-- backfills are few, so all of them are summed each time.
select o.topic_no, o.partition, o.topic, coalesce(c.from_offset, 0) as from_offset,
       exists (
           select from (
               select b.next_offset
               from traffic.micro_batches b
               where b.topic_no = o.topic_no and b.partition = o.partition and b.kind = 'ingest'
                 and b.first_offset < c.from_offset
               order by b.first_offset desc
               limit 1
           ) before
           where before.next_offset > c.from_offset
       ) as straddles,
       s.*, x.quarantined as corrected_quarantine,
       case when o.active then greatest(0, o.last_seen_end - o.next_offset) end as lag,
       case when o.next_offset > o.start_offset then extract(epoch from o.updated_at) end as committed
from traffic.kafka_offsets o
left join unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(offsets)s::bigint[])
    as c (topic_no, partition, from_offset) using (topic_no, partition)
cross join lateral (
    select count(*) as rows, max(b.next_offset) as next_offset, coalesce(sum(b.batches), 0)::bigint as batches,
           coalesce(sum(b.processed), 0)::bigint as processed,
           coalesce(sum(b.quarantined), 0)::bigint as quarantined,
           coalesce(sum(b.echoes), 0)::bigint as echoes,
           coalesce(sum(b.inserted), 0)::bigint as inserted,
           coalesce(sum(b.updated), 0)::bigint as updated,
           coalesce(sum(b.unchanged), 0)::bigint as unchanged,
           coalesce(sum(b.superseded), 0)::bigint as superseded
    from (
        select * from traffic.micro_batches b
        where b.topic_no = o.topic_no and b.partition = o.partition and b.kind = 'ingest'
          and b.first_offset >= coalesce(c.from_offset, 0) and b.next_offset > b.first_offset
        order by b.first_offset
        limit %(most)s
    ) b
) s
cross join lateral (
    select coalesce(sum(b.quarantined), 0)::bigint as quarantined
    from traffic.micro_batches b
    where b.topic_no = o.topic_no and b.partition = o.partition and b.kind <> 'ingest'
) x
order by o.topic_no, o.partition
