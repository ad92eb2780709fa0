-- Compare the records of backfills with the present outcome of each message and with their audit rows.
with newest as materialized (
    select distinct on (topic_no, partition, "offset", event_no) *
    from traffic.rebuilt_events
    order by topic_no, partition, "offset", event_no, batch_id desc
), recorded as (
    select batch_id, topic_no, partition, count(*) filter (where becomes = 'processed')
               - count(*) filter (where was = 'processed') as processed,
           min("offset") as low, max("offset") as high
    from traffic.rebuilt_events
    group by batch_id, topic_no, partition
)
select 'rebuilt_events' as table_name,
       json_build_object('topic_no', n.topic_no, 'partition', n.partition, 'offset', n."offset",
                         'event_no', n.event_no) as key,
       case n.becomes when 'quarantined' then 'an unresolved row in quarantined_events, as recorded'
            else format('resolved as rebuilt at %%s, when batch %%s stored it', b.committed_at,
                        n.batch_id) end as expected,
       coalesce(q.resolution || ' at ' || q.resolved_at,
                case when q.topic_no is null then 'none' else 'an unresolved row' end) as found
from newest n
join traffic.micro_batches b using (batch_id, topic_no, partition)
left join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
where (n.becomes = 'quarantined'
       and (q.topic_no is null or coalesce(q.resolution, 'replayed') <> 'replayed'))
   or (n.was = 'quarantined'
       and (q.resolution is distinct from 'rebuilt' or q.resolved_at is distinct from b.committed_at))
union all
select 'micro_batches',
       json_build_object('batch_id', b.batch_id, 'topic_no', b.topic_no, 'partition', b.partition),
       format('processed %%s, first_offset %%s, next_offset %%s, as rebuilt_events has them',
              r.processed, r.low, r.high + 1),
       format('processed %%s, first_offset %%s, next_offset %%s', b.processed, b.first_offset,
              b.next_offset)
from traffic.micro_batches b
left join recorded r using (batch_id, topic_no, partition)
where b.kind = 'backfill'
  and (b.processed, b.first_offset, b.next_offset)
      is distinct from (r.processed, r.low, r.high + 1)
limit %(limit)s
