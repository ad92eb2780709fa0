-- Messages and quarantined messages by date, from the audit. The audit has messages with far-off clocks at
-- the date that they claim; here they count at the date of their arrival.
select day, sum(messages)::bigint as messages, sum(quarantined)::bigint as quarantined
from (
    select d.key::date as day, (d.value ->> 'raw')::bigint as messages,
           (d.value ->> 'quarantined')::bigint as quarantined
    from traffic.micro_batches b
    cross join lateral jsonb_each(b.date_counts) d
    where b.event_dates && %(days)s::date[] and d.key = any(%(names)s::text[])
    union all
    select event_date, -count(*), -count(*)
    from traffic.quarantined_events
    where event_date = any(%(days)s::date[]) and reason = any(%(far_off)s::text[])
      and resolved_at is null
    group by event_date
    union all
    select (quarantined_at at time zone %(timezone)s)::date, count(*), count(*)
    from traffic.quarantined_events
    where quarantined_at >= %(begin)s and quarantined_at < %(end)s
      and reason = any(%(far_off)s::text[]) and resolved_at is null
    group by 1
) counted
group by day
