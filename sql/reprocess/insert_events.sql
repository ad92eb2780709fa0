-- What enters belongs to the rebuild's batch; what is restored, to the batch that had stored it.
insert into traffic.processed_events
    (topic_no, partition, "offset", sensor_id, "timestamp",
     --| measures {m},
     quality_score,
     quality_flags, format, batch_id)
select o.topic_no, o.partition, o."offset", o.sensor_id, o."timestamp",
       --| measures o.{m},
       o.quality_score, o.quality_flags, o.format,
       case when c.kind = 'enter' then %(batch_id)s else coalesce(let_in.batch_id, o.batch_id) end
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset")
left join lateral (
    select b.batch_id
    from traffic.quarantined_events q
    join traffic.micro_batches b
        on b.topic_no = q.topic_no and b.partition = q.partition and b.kind <> 'window'
        and b.committed_at = q.resolved_at
    where c.kind = 'restore'
      and q.topic_no = c.topic_no and q.partition = c.partition and q."offset" = c."offset"
) let_in on true
where c.kind in ('enter', 'restore')
