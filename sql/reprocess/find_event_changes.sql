-- Differences between the stored events of a date and today's outcomes, message by message:
--   change               an event has other values, or moves from or to another date
--   enter                a message in quarantine becomes an event
--   leave                an event becomes a rejected message
--   restore              a missing event comes back
--   restore_quarantined  a missing message of quarantine comes back
--   remove               an event is stored although its message is in quarantine
-- A change is recorded if other rules had decided the message; else it is a repair. Events whose message
-- neither raw nor quarantine holds stay unchanged.
insert into pg_temp.event_changes
with stored as (
    select * from traffic.processed_events
    where "timestamp" >= %(first)s and "timestamp" < %(until)s
), due as (
    select * from pg_temp.rebuilt_outcomes where event_date = %(day)s and sensor_id is not null
), differing as materialized (
    select topic_no, partition, "offset", event_no, d.batch_id as home, d.by_others, d.waiting,
           d.batch_id is not null as is_due, p.batch_id as was_batch_id,
           p.sensor_id as was_sensor_id, p."timestamp" as was_timestamp
    from due d
    full join stored p using (topic_no, partition, "offset", event_no)
    where d.batch_id is null or p.batch_id is null
       or (d.sensor_id, d."timestamp",
           --| measures d.{m},
           d.quality_score,
           d.quality_flags, d.format, d.interval_s)
          is distinct from
          (p.sensor_id, p."timestamp",
           --| measures p.{m},
           p.quality_score,
           p.quality_flags, p.format, p.interval_s)
), missing as materialized (
    select home from differing where is_due and was_batch_id is null and not waiting
), elsewhere as materialized (
    -- Events at other dates of the batches from which an event is missing here.
    select e.topic_no, e.partition, e."offset", e.event_no, e.batch_id, e.sensor_id, e."timestamp"
    from traffic.processed_events e
    where not (e."timestamp" >= %(first)s and e."timestamp" < %(until)s)
      and exists (select from missing)
      and e.batch_id in (
          select home from missing
          union
          select batch_id from traffic.micro_batches where kind <> 'ingest'
      )
), placed as (
    -- Stored and due at this date.
    select 'change' as kind, topic_no, partition, "offset", event_no, by_others, was_batch_id, was_sensor_id,
           was_timestamp, null::bigint as quarantined_by, null::date as quarantined_at
    from differing
    where is_due and was_batch_id is not null
    union all
    -- Due at this date, stored at another date or missing. A full join, because PostgreSQL never runs it
    -- as a nested loop. The planner cannot estimate these rows: if all events are missing, they are many.
    select case when d.waiting then 'enter' when e.batch_id is null then 'restore' else 'change' end,
           d.topic_no, d.partition, d."offset", d.event_no, d.by_others,
           case when not d.waiting then e.batch_id end,
           case when not d.waiting then e.sensor_id end,
           case when not d.waiting then e."timestamp" end,
           q.batch_id, q.event_date
    from (select * from differing where is_due and was_batch_id is null) d
    full join elsewhere e
        on e.topic_no = d.topic_no and e.partition = d.partition and e."offset" = d."offset"
        and e.event_no = d.event_no
    left join traffic.quarantined_events q
        on q.topic_no = d.topic_no and q.partition = d.partition and q."offset" = d."offset"
        and q.event_no = d.event_no
    where coalesce(d.is_due, false) and (not d.waiting or q.resolved_at is null)
    union all
    -- Stored at this date, due at another date or rejected.
    select case when o.sensor_id is not null then 'change' when o.waiting then 'remove'
                else 'leave' end,
           topic_no, partition, "offset", event_no, o.by_others, d.was_batch_id, d.was_sensor_id,
           d.was_timestamp, null, null
    from differing d
    join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
    where not d.is_due
    union all
    select 'restore_quarantined', topic_no, partition, "offset", event_no, false, null, null, null, null, null
    from pg_temp.rebuilt_outcomes o
    left join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
    where o.event_date = %(day)s and o.reason is not null and not o.waiting
      and not exists (
          select from traffic.processed_events e
          where e.topic_no = o.topic_no and e.partition = o.partition and e."offset" = o."offset"
            and e.event_no = o.event_no and e.batch_id = any (o.batch_id || array(
                select b.batch_id
                from traffic.micro_batches b
                where b.topic_no = o.topic_no and b.partition = o.partition and b.kind <> 'ingest'
                  and b.first_offset <= o."offset" and b.next_offset > o."offset"
            ))
      )
)
select c.kind, c.topic_no, c.partition, c."offset", c.event_no, coalesce(c.quarantined_by, c.was_batch_id),
       coalesce(c.quarantined_at, (c.was_timestamp at time zone %(timezone)s)::date),
       c.was_sensor_id, c.was_timestamp,
       c.kind in ('enter', 'leave')
           or (c.kind = 'change'
               and coalesce(judged.rules_version <> %(rules_version)s, c.by_others))
from placed c
left join lateral (
    -- The last that decided the message after ingest: a backfill, or the reprocessing that stored it.
    select b.rules_version
    from traffic.micro_batches b
    where c.kind = 'change' and b.topic_no = c.topic_no and b.partition = c.partition
      and b.kind <> 'ingest'
      and (b.batch_id = c.was_batch_id or exists (
          select from traffic.rebuilt_events r
          where r.topic_no = c.topic_no and r.partition = c.partition and r."offset" = c."offset"
            and r.event_no = c.event_no and r.batch_id = b.batch_id
      ))
    order by b.batch_id desc
    limit 1
) judged on true
