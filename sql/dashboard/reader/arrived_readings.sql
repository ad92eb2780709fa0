-- The newest reading of each sensor that has events in these stretches of offsets: the row stored for
-- the sensor and the time of its newest event, whichever event won. `offset 0` keeps one lookup by
-- primary key per sensor: the planner cannot know how few sensors there are.
with moved as materialized (
    select *
    from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(firsts)s::bigint[],
                %(uptos)s::bigint[]) as m (topic_no, partition, first, upto)
),
--| parts/batches
, newest as materialized (
    select e.sensor_id, max(e."timestamp") as "timestamp"
    from batch b
    cross join lateral (
        select p.sensor_id, p."timestamp"
        from traffic.processed_events p
        where p.batch_id between b.batch_id and b.last_batch_id
          and p.topic_no = b.topic_no and p.partition = b.partition
          and p."offset" >= b.first and p."offset" < b.upto
        offset 0
    ) e
    group by e.sensor_id
)
select r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy, r.quality_flags
from newest n
cross join lateral (
    select *
    from traffic.traffic_readings t
    where t.sensor_id = n.sensor_id and t."timestamp" = n."timestamp"
    offset 0
) r
