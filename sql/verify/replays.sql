-- Compare the events of reprocessing with their audit rows, with the resolved messages in quarantine and
-- with the numbers by which events of the raw topic are published. If retention has dropped events of a
-- reprocessing, other statements prove its sums.
with let_in as materialized (
    select b.batch_id, topic_no, partition, p."offset", event_no, b.committed_at, q.resolved_at,
           q.resolution, q.event_date
    from traffic.micro_batches b
    join traffic.processed_events p using (batch_id, topic_no, partition)
    left join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
    where b.kind = 'reprocess'
    union all
    -- A backfill has removed the event since.
    select r.was_batch_id, r.topic_no, r.partition, r."offset", r.event_no, b.committed_at, b.committed_at,
           'replayed', q.event_date
    from traffic.rebuilt_events r
    join traffic.micro_batches b
        on b.batch_id = r.was_batch_id and b.topic_no = r.topic_no and b.partition = r.partition
        and b.kind = 'reprocess'
    left join traffic.quarantined_events q
        on q.topic_no = r.topic_no and q.partition = r.partition and q."offset" = r."offset"
        and q.event_no = r.event_no
    where r.was = 'processed' and r.becomes = 'quarantined'
), entered as (
    select topic_no, partition, "offset", event_no, batch_id
    from traffic.rebuilt_events
    where was = 'quarantined'
), days as (
    select batch_id, topic_no, partition, event_date, count(*) as rows,
           min("offset") as low, max("offset") as high
    from let_in
    group by batch_id, topic_no, partition, event_date
), replay as materialized (
    select batch_id, topic_no, partition, min(low) as low, max(high) as high,
           coalesce(
               jsonb_object_agg(event_date, -rows) filter (where event_date is not null), '{}'
           ) as taken
    from days
    group by batch_id, topic_no, partition
), audited as (
    select r.*, b.first_offset, b.next_offset,
           coalesce((
               select jsonb_object_agg(key, (value ->> 'quarantined')::bigint)
               from jsonb_each(b.date_counts)
               where (value ->> 'quarantined')::bigint <> 0
           ), '{}') as dates
    from replay r
    join traffic.micro_batches b using (batch_id, topic_no, partition)
    where b.dropped_processed = '{}'
), numbered as (
    select r.*,
           row_number() over (partition by topic_no, partition order by replay_no) as due_no,
           max(array["offset", event_no]) over (
               partition by topic_no, partition, batch_id order by replay_no
               rows between unbounded preceding and 1 preceding
           ) as before
    from traffic.replayed_events r
)
select 'quarantined_events' as table_name,
       json_build_object('topic_no', topic_no, 'partition', partition, 'offset', "offset",
                         'event_no', event_no) as key,
       format('resolved as replayed at %%s, when batch %%s stored it', committed_at, batch_id)
           as expected,
       coalesce(resolution || ' at ' || resolved_at, 'an unresolved row or none') as found
from let_in
where resolved_at is distinct from committed_at or resolution is distinct from 'replayed'
union all
select 'micro_batches',
       json_build_object('batch_id', batch_id, 'topic_no', topic_no, 'partition', partition),
       format('first_offset %%s, next_offset %%s, as of the events that it stored', low, high + 1),
       format('first_offset %%s, next_offset %%s', first_offset, next_offset)
from audited
where first_offset <> low or next_offset <> high + 1
union all
select 'micro_batches',
       json_build_object('batch_id', batch_id, 'topic_no', topic_no, 'partition', partition),
       format('quarantined by date %%s, as the messages that it resolved were counted', taken),
       dates::text
from audited
where dates <> taken
union all
select 'replayed_events',
       json_build_object('topic_no', l.topic_no, 'partition', l.partition, 'offset', l."offset",
                         'event_no', l.event_no),
       format('a replay_no, since batch %%s stored it', l.batch_id), 'none'
from let_in l
left join numbered n using (topic_no, partition, "offset", event_no, batch_id)
join traffic.topics t on t.topic_no = l.topic_no and t.name = %(raw_topic)s
where n.replay_no is null
  and not exists (
      select from traffic.rebuilt_events r
      where r.topic_no = l.topic_no and r.partition = l.partition and r."offset" = l."offset"
        and r.event_no = l.event_no and r.was = 'processed'
  )
union all
select 'replayed_events',
       json_build_object('topic_no', n.topic_no, 'partition', n.partition, 'offset', n."offset",
                         'event_no', n.event_no),
       format('an event that batch %%s stored', n.batch_id), 'none'
from numbered n
left join let_in l using (topic_no, partition, "offset", event_no, batch_id)
left join traffic.micro_batches b using (batch_id, topic_no, partition)
where l.batch_id is null and coalesce(b.dropped_processed, '{}') = '{}'
  and (n.topic_no, n.partition, n."offset", n.event_no, n.batch_id) not in (select * from entered)
union all
select 'replayed_events',
       json_build_object('topic_no', topic_no, 'partition', partition, 'offset', "offset",
                         'event_no', event_no),
       case when replay_no <> due_no then format('replay_no %%s, one after another', due_no)
            else 'the numbers of a reprocessing in the order of offsets' end,
       format('replay_no %%s', replay_no)
from numbered
where replay_no <> due_no or before > array["offset", event_no]
limit %(limit)s
