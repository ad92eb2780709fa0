-- Events from quarantine belong to the batch of the correction, restored ones to the batch that had
-- stored them.
insert into traffic.processed_events
    (topic_no, partition, "offset", sensor_id, "timestamp",
     --| measures {m},
     quality_score,
     quality_flags, format, batch_id, event_no, interval_s)
select o.topic_no, o.partition, o."offset", o.sensor_id, o."timestamp",
       --| measures o.{m},
       o.quality_score, o.quality_flags, o.format,
       case when c.kind = 'enter' then %(batch_id)s else coalesce(let_in.batch_id, o.batch_id) end,
       o.event_no, o.interval_s
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
left join lateral (
    select b.batch_id
    from traffic.quarantined_events q
    join traffic.micro_batches b
        on b.topic_no = q.topic_no and b.partition = q.partition and b.kind <> 'ingest'
        and b.committed_at = q.resolved_at
    where c.kind = 'restore'
      and q.topic_no = c.topic_no and q.partition = c.partition and q."offset" = c."offset"
      and q.event_no = c.event_no
) let_in on true
where c.kind in ('enter', 'restore')
