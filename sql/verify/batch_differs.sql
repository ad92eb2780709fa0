-- One batch stored a message and its outcome. Exceptions are events of a reprocessing or backfill, and
-- messages that a backfill put into quarantine.
with outcome as (
    select topic_no, partition, "offset", event_no, batch_id, 'processed_events' as place
    from traffic.processed_events
    union all
    select topic_no, partition, "offset", event_no, batch_id, 'quarantined_events'
    from traffic.quarantined_events
    where resolved_at is null
)
select o.place as table_name,
       json_build_object('topic_no', o.topic_no, 'partition', o.partition, 'offset', o."offset",
                         'event_no', o.event_no) as key,
       format('batch_id %%s, as in raw_events, or that of a reprocessing or backfill', r.batch_id)
           as expected,
       o.batch_id::text as found
from outcome o
join traffic.raw_events r using (topic_no, partition, "offset")
where r.batch_id <> o.batch_id
  and not exists (
      select from traffic.micro_batches b
      where b.batch_id = o.batch_id and b.topic_no = o.topic_no and b.partition = o.partition
        and b.kind <> 'ingest' and (o.place = 'processed_events' or b.kind = 'backfill')
        and o."offset" >= b.first_offset and o."offset" < b.next_offset
  )
order by o.topic_no, o.partition, o."offset", o.event_no
limit %(limit)s
