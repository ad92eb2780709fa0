-- One pass over all rows which proves that raw, its outcomes and the readings belong together, or
-- counts by kind what does not; the statements beside this one then name the rows. Nothing is
-- doubled when `outcomes` equals `raw` and `ended`, and every reading has its event when `winners`
-- equals `readings`: each raw row then meets one outcome, and each event one reading. These three
-- are what the audit claims, which is proved against the tables elsewhere and costs no scan here.
with event as (
    -- 0: not the event that the reading is of, 1: that event, 2: that event with other measures,
    -- 3: no reading, 4: a reading without any event
    select p.topic_no, p.partition, p."offset", p.batch_id,
           d.broker_timestamp, d.topic_no as of_topic_no, d.partition as of_partition,
           d."offset" as of_offset,
           case when p."offset" is null then 4
                when d."offset" is null then 3
                when p."offset" <> d."offset" or p.partition <> d.partition
                     or p.topic_no <> d.topic_no then 0
                when p.speed is distinct from d.speed or p.volume is distinct from d.volume
                     or p.occupancy is distinct from d.occupancy
                     or p.quality_score <> d.quality_score
                     or p.quality_flags <> d.quality_flags then 2
                else 1 end as verdict
    from traffic.processed_events p
    full join traffic.traffic_readings d using (sensor_id, "timestamp")
), outcome as (
    select * from event
    union all
    select topic_no, partition, "offset", batch_id, null, null, null, null, 5
    from traffic.quarantined_events
    where resolved_at is null
), raw as (
    select topic_no, partition, "offset", batch_id,
           least(coalesce(broker_timestamp, '-infinity'), ingested_at) as broker_timestamp
    from traffic.raw_events
), screened as (
    select count(*) filter (where o.verdict is distinct from 4) as outcomes,
           count(*) filter (where o.verdict in (1, 2)) as winners,
           count(*) filter (where r."offset" is null and o.verdict <> 4) as raw_missing,
           count(*) filter (where o.verdict is null) as outcome_missing,
           count(*) filter (
               where r.batch_id <> o.batch_id
                 and not coalesce((o.verdict <> 5 or b.kind = 'rebuild') and o."offset" >= b.first_offset
                                  and o."offset" < b.next_offset, false)
           ) as batch_differs,
           count(*) filter (where o.verdict = 3) as reading_missing,
           count(*) filter (where o.verdict = 4) as reading_unfounded,
           count(*) filter (
               where o.verdict = 2
                  or (o.verdict = 1 and o.broker_timestamp <> r.broker_timestamp)
           ) as reading_differs,
           count(*) filter (
               where o.verdict = 0
                 and (r.broker_timestamp, o.topic_no, o.partition, o."offset")
                     > (o.broker_timestamp, o.of_topic_no, o.of_partition, o.of_offset)
           ) as reading_overtaken
    from outcome o
    full join raw r using (topic_no, partition, "offset")
    -- A join, not a subquery: with one the workers would hand over every row.
    left join (
        select batch_id, topic_no, partition, first_offset, next_offset, kind
        from traffic.micro_batches
        where kind <> 'window'
    ) b on b.batch_id = o.batch_id and b.topic_no = o.topic_no and b.partition = o.partition
), audited as (
    select coalesce(sum(raw), 0)::bigint as raw,
           coalesce(sum(processed + quarantined), 0)::bigint as ended,
           coalesce(sum(inserted), 0)::bigint as readings
    from traffic.micro_batches
)
select outcomes, raw, ended, winners, readings, raw_missing, outcome_missing, batch_differs,
       reading_missing, reading_unfounded, reading_differs, reading_overtaken
from screened, audited
