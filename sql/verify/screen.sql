-- One pass over all rows. It proves that raw, outcomes and readings match, or counts the differences by
-- kind. Then the statements beside this one name the rows. When `outcomes` equals `ended` and the audit
-- is balanced, each raw row joins one outcome. When `winners` equals `readings`, each event joins one
-- reading. `raw`, `ended` and `readings` come from the audit, so they cost no scan; other statements
-- prove it.
-- Rows that retention dropped are not expected: raw rows below `raw_to` of their generation, events below
-- `processed_to` (raw does not know their months), and the events of a dropped month below the offset of
-- the drop.
with gone as not materialized (
    select topic_no, partition, lower_bound at time zone 'UTC' as month, next_offset
    from traffic.dropped_rows
    where table_name = 'processed_events'
), event as (
    -- 0: not the event that the reading is of, 1: that event, 2: that event with other measures,
    -- 3: no reading, 4: a reading without any event, 6: the same, and its event was dropped
    select p.topic_no, p.partition, p."offset", p.batch_id,
           d.broker_timestamp, coalesce(d.order_time, d.broker_timestamp) as order_time,
           d.topic_no as of_topic_no, d.partition as of_partition,
           d."offset" as of_offset, p.event_no, d.event_no as of_event_no,
           case when p."offset" is null then case when g.month is null then 4 else 6 end
                when d."offset" is null then 3
                when p."offset" <> d."offset" or p.partition <> d.partition
                     or p.topic_no <> d.topic_no or p.event_no <> d.event_no then 0
                when
                     --| measures[ or] p.{m} is distinct from d.{m}
                     or p.quality_score <> d.quality_score
                     or p.quality_flags <> d.quality_flags
                     or p.interval_s is distinct from d.interval_s then 2
                else 1 end as verdict
    from traffic.processed_events p
    full join traffic.traffic_readings d using (sensor_id, "timestamp")
    left join gone g
      on g.topic_no = d.topic_no and g.partition = d.partition and g.next_offset > d."offset"
     and g.month = case when p."offset" is null
                        then date_trunc('month', d."timestamp" at time zone 'UTC') end
), outcome as (
    select * from event
    union all
    select topic_no, partition, "offset", batch_id, null, null, null, null, null, event_no, null, 5
    from traffic.quarantined_events
    where resolved_at is null
), raw as (
    select topic_no, partition, "offset", batch_id,
           least(coalesce(broker_timestamp, '-infinity'), ingested_at) as broker_timestamp,
--| parts/order_time
           as order_time
    from traffic.raw_events r
), screened as (
    select count(*) filter (
               where o.verdict not in (4, 6)
                  or (o.verdict is null
                      and (h.processed_to is null or r."offset" >= h.processed_to))
           ) as outcomes,
           count(*) filter (where o.verdict in (1, 2)) as winners,
           count(*) filter (
               where r."offset" is null and o.verdict not in (4, 6)
                 and (h.raw_to is null or o."offset" >= h.raw_to)
           ) as raw_missing,
           count(*) filter (
               where o.verdict is null and (h.processed_to is null or r."offset" >= h.processed_to)
           ) as outcome_missing,
           count(*) filter (
               where r.batch_id <> o.batch_id
                 and not coalesce((o.verdict <> 5 or b.kind = 'backfill') and o."offset" >= b.first_offset
                                  and o."offset" < b.next_offset, false)
           ) as batch_differs,
           count(*) filter (where o.verdict = 3) as reading_missing,
           count(*) filter (where o.verdict = 4) as reading_unfounded,
           count(*) filter (
               where o.verdict = 2
                  or (o.verdict = 1
                      and (o.broker_timestamp <> r.broker_timestamp or o.order_time <> r.order_time))
           ) as reading_differs,
           count(*) filter (
               where o.verdict = 0
                 and (r.order_time, o.topic_no, o.partition, o."offset", o.event_no)
                     > (o.order_time, o.of_topic_no, o.of_partition, o.of_offset, o.of_event_no)
           ) as reading_overtaken
    from outcome o
    full join raw r using (topic_no, partition, "offset")
    -- A join, because with a subquery the parallel workers would send every row.
    left join (
        select batch_id, topic_no, partition, first_offset, next_offset, kind
        from traffic.micro_batches
        where kind <> 'ingest'
    ) b on b.batch_id = o.batch_id and b.topic_no = o.topic_no and b.partition = o.partition
    left join traffic.dropped_logs h
      on h.topic_no = coalesce(o.topic_no, r.topic_no)
     and h.partition = coalesce(o.partition, r.partition)
), own_event_gone as (
    -- Readings whose own event was dropped. Other events of the same sensor and time may be stored.
    select count(*) as readings
    from gone g
    join traffic.traffic_readings d
      on d.topic_no = g.topic_no and d.partition = g.partition and d."offset" < g.next_offset
     and date_trunc('month', d."timestamp" at time zone 'UTC') = g.month
    left join traffic.processed_events p
      on p.sensor_id = d.sensor_id and p."timestamp" = d."timestamp" and p.topic_no = d.topic_no
     and p.partition = d.partition and p."offset" = d."offset" and p.event_no = d.event_no
    where p.batch_id is null
), dropped as (
    select coalesce(sum(rows) filter (where table_name = 'raw_events'), 0)::bigint as raw,
           coalesce(sum(rows) filter (where table_name = 'processed_events'), 0)::bigint as events,
           coalesce(sum(rows) filter (where table_name = 'traffic_readings'), 0)::bigint as readings
    from traffic.dropped_rows
), audited as (
    select coalesce(sum(b.raw), 0)::bigint as raw,
           coalesce(sum(b.processed + b.quarantined), 0)::bigint as ended,
           coalesce(sum(b.inserted), 0)::bigint as readings
    from traffic.micro_batches b
)
select s.outcomes, a.raw - d.raw as raw, a.ended - d.events as ended, a.raw = a.ended as balanced,
       s.winners + g.readings as winners, a.readings - d.readings as readings, raw_missing, outcome_missing, batch_differs,
       reading_missing, reading_unfounded, reading_differs, reading_overtaken
from screened s, audited a, dropped d, own_event_gone g
