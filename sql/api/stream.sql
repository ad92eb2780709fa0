-- Readings of the messages stored after given positions. One row for each partition generation has its
-- new position and the readings as JSON by offset. The ledger and the rows of a batch commit together,
-- and the batches of a generation commit one after another, so every message before next_offset is
-- stored. The stream therefore misses nothing, in whatever order several writers commit. An event that
-- another event has replaced meanwhile is left out: its reading comes with the other one.
with moved as materialized (
    select k.topic_no, k.partition, p.first, least(k.next_offset, p.first + %(most)s) as upto
    from traffic.kafka_offsets k
    left join unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
        as w (topic_no, partition, position) using (topic_no, partition)
    cross join lateral (select coalesce(w.position, k.start_offset) as first) p
    where k.next_offset > p.first
),
--| parts/batches
, reading as (
    select b.topic_no, b.partition, p."offset", p.event_no, r.json
    from batch b
    cross join lateral (
        select *
        from traffic.processed_events p
        where p.batch_id between b.batch_id and b.last_batch_id
          and p.topic_no = b.topic_no and p.partition = b.partition
          and p."offset" >= b.first and p."offset" < b.upto
        offset 0
    ) p
    cross join lateral (
        select traffic.reading_json(r.sensor_id, r."timestamp",
                                    --| measures r.{m},
                                    r.quality_score) as json
        from traffic.traffic_readings r
        where r.sensor_id = p.sensor_id and r."timestamp" = p."timestamp"
          and r.topic_no = p.topic_no and r.partition = p.partition and r."offset" = p."offset"
          and r.event_no = p.event_no
        offset 0
    ) r
)
select m.topic_no, m.partition, m.upto,
       array_agg(r.json order by r."offset", r.event_no) filter (where r.json is not null) as readings
from moved m
left join reading r using (topic_no, partition)
group by m.topic_no, m.partition, m.upto
