-- Partition generations whose newest offsets have more or fewer rows in raw_events than the audit counts:
-- the last `offsets` offsets, or the last batch if that is longer. One statement has one snapshot, so a
-- batch that is being committed is in both counts or in neither.
with stretch as (
    select o.topic, o.topic_no, o.partition, o.next_offset, min(b.first_offset) as first_offset,
           min(b.batch_id) as first_batch, max(coalesce(b.last_batch_id, b.batch_id)) as last_batch,
           min(b.committed_at) as committed_at, sum(b.raw) as audited
    from traffic.kafka_offsets o
    cross join lateral (
        select max(b.first_offset) as first_offset
        from traffic.micro_batches b
        where b.topic_no = o.topic_no and b.partition = o.partition and b.kind = 'ingest'
    ) newest
    join traffic.micro_batches b
      on b.topic_no = o.topic_no and b.partition = o.partition and b.kind = 'ingest'
     and b.first_offset >= least(newest.first_offset, o.next_offset - %(offsets)s)
     -- Retention may have dropped older rows.
     and b.committed_at > now() - interval '1 day'
    group by o.topic, o.topic_no, o.partition, o.next_offset
)
select s.topic, s.topic_no, s.partition, s.first_offset, s.next_offset,
       s.audited::bigint as audited, counted.stored
from stretch s
cross join lateral (
    select count(*) as stored from traffic.raw_events r
    where r.topic_no = s.topic_no and r.partition = s.partition
      and r."offset" >= s.first_offset and r."offset" < s.next_offset
      -- These two conditions select the partitions by day and the block ranges of batches. A batch
      -- takes some time from its arrival to its commit.
      and r.batch_id between s.first_batch and s.last_batch
      and r.ingested_at >= s.committed_at - interval '1 hour'
) counted
where counted.stored <> s.audited
order by s.topic_no, s.partition
limit %(sample)s
