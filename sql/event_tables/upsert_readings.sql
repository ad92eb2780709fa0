-- The later (order time, topic_no, partition, offset, event_no) wins, in any order of processing. A
-- later repeat with equal measures updates the provenance too (else the order of processing would decide about
-- a third event between the two), but not updated_at. Rows were copied in key order. The created_at and
-- updated_at of incoming rows are the batch's time, which no other batch has.
with written as (
    insert into traffic.traffic_readings as r
        (sensor_id, "timestamp",
         --| measures {m},
         quality_score, quality_flags,
         broker_timestamp, topic_no, partition, "offset", created_at, updated_at,
         event_no, interval_s, order_time)
    select sensor_id, "timestamp",
           --| measures {m},
           quality_score, quality_flags,
           broker_timestamp, topic_no, partition, "offset", created_at, updated_at,
           event_no, interval_s, order_time
    from pg_temp.incoming_readings
    on conflict (sensor_id, "timestamp") do update
    set
        --| measures {m} = excluded.{m},
        quality_score = excluded.quality_score,
        quality_flags = excluded.quality_flags,
        broker_timestamp = excluded.broker_timestamp,
        topic_no = excluded.topic_no,
        partition = excluded.partition,
        "offset" = excluded."offset",
        event_no = excluded.event_no,
        interval_s = excluded.interval_s,
        order_time = excluded.order_time,
        updated_at = case
            when (
                  --| measures r.{m},
                  r.quality_score, r.quality_flags, r.interval_s)
                 is distinct from
                 (
                  --| measures excluded.{m},
                  excluded.quality_score,
                  excluded.quality_flags, excluded.interval_s)
            then excluded.updated_at
            else r.updated_at
        end
    where (coalesce(r.order_time, r.broker_timestamp), r.topic_no, r.partition, r."offset", r.event_no)
          < (coalesce(excluded.order_time, excluded.broker_timestamp), excluded.topic_no,
             excluded.partition, excluded."offset", excluded.event_no)
    returning r.topic_no, r.partition, r."timestamp", r.created_at = %(now)s as inserted,
              r.updated_at = %(now)s as changed
),
counted as (
    insert into traffic.reading_changes (start, added)
    select to_timestamp(floor(date_part('epoch', "timestamp") / 10) * 10), count(*)
    from written
    where inserted
    group by 1
)
select topic_no, partition, count(*) filter (where inserted),
       count(*) filter (where changed and not inserted), count(*) filter (where not changed)
from written
group by topic_no, partition
