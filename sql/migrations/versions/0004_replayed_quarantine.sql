-- A replay takes a message off the date that it was counted at, which today's rules may no longer
-- tell; and what it leaves in quarantine for another reason was judged by other rules than its
-- batch was.
alter table traffic.quarantined_events
    add column event_date date,
    add column rules_version text;

-- Audit rows say how many messages of a batch count at which date, not which: dates are handed out
-- in the order of offsets, so that the sums hold.
with slot as (
    select b.batch_id, b.topic_no, b.partition, d.key::date as day,
           row_number() over (partition by b.batch_id, b.topic_no, b.partition order by d.key) as number
    from traffic.micro_batches b
    cross join lateral jsonb_each(b.date_counts) d
    cross join lateral generate_series(1, (d.value ->> 'quarantined')::bigint)
), numbered as (
    select topic_no, partition, "offset", batch_id,
           row_number() over (partition by batch_id, topic_no, partition order by "offset") as number
    from traffic.quarantined_events
)
update traffic.quarantined_events q
set event_date = s.day
from numbered n
join slot s using (batch_id, topic_no, partition, number)
where n.topic_no = q.topic_no and n.partition = q.partition and n."offset" = q."offset";

update traffic.quarantined_events
set event_date = (coalesce(broker_timestamp, quarantined_at) at time zone p.timezone)::date
from traffic.platform p
where event_date is null;
alter table traffic.quarantined_events alter column event_date set not null;
