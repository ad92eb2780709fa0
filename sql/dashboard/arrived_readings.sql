-- The newest event of each sensor in these stretches of logs. Batches are found by their offsets, as
-- in sql/api/stream.sql: numbers are reserved, so a higher one may be committed before a lower one.
with batch as materialized (
    select m.topic_no, m.partition, m.first, m.upto, b.batch_id,
           coalesce(b.last_batch_id, b.batch_id) as last_batch_id
    from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(firsts)s::bigint[],
                %(uptos)s::bigint[]) as m (topic_no, partition, first, upto)
    cross join lateral (
        select coalesce(max(o.first_offset), m.first) as first_offset
        from traffic.micro_batches o
        where o.topic_no = m.topic_no and o.partition = m.partition and o.first_offset <= m.first
          and o.kind = 'window'
    ) begun
    join traffic.micro_batches b
      on b.topic_no = m.topic_no and b.partition = m.partition and b.kind = 'window'
     and b.first_offset >= begun.first_offset and b.first_offset < m.upto
)
select distinct on (e.sensor_id) e.sensor_id, e."timestamp", e.speed, e.volume, e.occupancy,
       e.quality_flags
from batch b
join traffic.processed_events e
  on e.batch_id between b.batch_id and b.last_batch_id
 and e.topic_no = b.topic_no and e.partition = b.partition
 and e."offset" >= b.first and e."offset" < b.upto
order by e.sensor_id, e."timestamp" desc
