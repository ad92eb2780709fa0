-- Logs whose newest stretch of offsets has more or fewer rows in raw_events than its audit says.
-- One statement is one snapshot, so a batch that is being committed is in both counts or in none.
with stretch as (
    select o.topic, o.topic_no, o.partition, o.next_offset, min(b.first_offset) as first_offset,
           sum(b.raw) as audited
    from traffic.kafka_offsets o
    join traffic.micro_batches b
      on b.topic_no = o.topic_no and b.partition = o.partition
     and b.first_offset >= o.next_offset - %(offsets)s
     -- older rows may have been dropped by retention
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
) counted
where counted.stored <> s.audited
order by s.topic_no, s.partition
limit %(sample)s
