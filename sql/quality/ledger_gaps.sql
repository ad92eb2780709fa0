-- Offsets between start and next of each partition generation that no audit row and no lost range covers, or
-- that two cover. Only the newest audit rows are read; a generation with fewer is read from its start.
with generation as (
    select o.topic_no, o.partition, o.topic, o.next_offset,
           coalesce((
               select b.first_offset from traffic.micro_batches b
               where b.topic_no = o.topic_no and b.partition = o.partition and b.kind = 'ingest'
               order by b.first_offset desc offset %(most)s - 1 limit 1
           ), o.start_offset) as from_offset
    from traffic.kafka_offsets o
), piece as (
    select l.topic_no, l.partition, b.first_offset, b.next_offset
    from generation l join traffic.micro_batches b
      on b.topic_no = l.topic_no and b.partition = l.partition
     and b.first_offset >= l.from_offset and b.next_offset > b.first_offset
     -- Rows of backfills and reprocessing cover the ranges that they correct.
     and b.kind = 'ingest'
    union all
    select l.topic_no, l.partition, r.first_offset, r.next_offset
    from generation l join traffic.lost_ranges r
      on r.topic_no = l.topic_no and r.partition = l.partition
     and r.first_offset >= l.from_offset and r.first_offset < l.next_offset
    union all
    -- The known begin and end, as pieces without length.
    select topic_no, partition, from_offset, from_offset from generation
    union all
    select topic_no, partition, next_offset, next_offset from generation
), ordered as (
    select *, lead(first_offset) over (
        partition by topic_no, partition order by first_offset, next_offset
    ) as following
    from piece
)
select l.topic, o.topic_no, o.partition,
       least(o.next_offset, o.following) as first_offset,
       greatest(o.next_offset, o.following) as next_offset,
       case when o.following > o.next_offset then 'in no audit row' else 'in two audit rows' end
           as finding
from ordered o join generation l using (topic_no, partition)
where o.following <> o.next_offset
order by o.topic_no, o.partition, first_offset
limit %(sample)s
