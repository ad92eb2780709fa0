-- Stage the stored events with their values, for a backfill of readings only.
insert into pg_temp.rebuilt_outcomes
    (topic_no, partition, "offset", event_no, batch_id, by_others, waiting, broker_timestamp,
     order_time, event_date, sensor_id, "timestamp",
     --| measures {m},
     quality_score, quality_flags, format, interval_s)
select p.topic_no, p.partition, p."offset", p.event_no, r.batch_id, false, false,
       least(coalesce(r.broker_timestamp, '-infinity'), r.ingested_at),
--| parts/order_time
       ,
       (p."timestamp" at time zone %(timezone)s)::date, p.sensor_id, p."timestamp",
        --| measures p.{m},
        p.quality_score, p.quality_flags, p.format, p.interval_s
from traffic.processed_events p
join traffic.raw_events r using (topic_no, partition, "offset")
where p."timestamp" >= %(first)s and p."timestamp" < %(until)s
  and (p."timestamp" at time zone %(timezone)s)::date = any(%(dates)s::date[])
