-- The newest event of each sensor in these stretches of logs.
with moved as materialized (
    select *
    from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(firsts)s::bigint[],
                %(uptos)s::bigint[]) as m (topic_no, partition, first, upto)
),
--| parts/batches
select distinct on (e.sensor_id) e.sensor_id, e."timestamp", e.speed, e.volume, e.occupancy,
       e.quality_flags
from batch b
cross join lateral (
    select p.sensor_id, p."timestamp", p.speed, p.volume, p.occupancy, p.quality_flags
    from traffic.processed_events p
    where p.batch_id between b.batch_id and b.last_batch_id
      and p.topic_no = b.topic_no and p.partition = b.partition
      and p."offset" >= b.first and p."offset" < b.upto
    offset 0
) e
order by e.sensor_id, e."timestamp" desc
