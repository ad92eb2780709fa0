-- Sums of the batches of an ingest run without Dagster. The locks of its partitions keep other runs out
-- of the range of batch numbers.
select t.name as topic, b.partition, count(*) as batches,
       min(b.first_offset) as first_offset, max(b.next_offset) as next_offset,
       sum(b.delivered)::bigint as delivered, sum(b.raw)::bigint as raw,
       sum(b.processed)::bigint as processed, sum(b.quarantined)::bigint as quarantined,
       sum(b.echoes)::bigint as echoes, sum(b.inserted)::bigint as inserted,
       sum(b.updated)::bigint as updated, sum(b.unchanged)::bigint as unchanged,
       sum(b.superseded)::bigint as superseded
from traffic.micro_batches b
join traffic.topics t using (topic_no)
where b.run_id is null and b.kind = 'ingest' and b.batch_id between %(first)s and %(last)s
group by t.name, b.topic_no, b.partition
order by t.name, b.topic_no, b.partition
