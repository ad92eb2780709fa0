-- Messages in quarantine by reason and date: the date of the event, or that of the arrival if the clock is
-- far off.
select reason, day, count(*) as messages
from (
    select reason, event_date as day
    from traffic.quarantined_events
    where event_date = any(%(days)s::date[]) and reason <> all(%(far_off)s::text[])
      and resolved_at is null
    union all
    select reason, (quarantined_at at time zone %(timezone)s)::date
    from traffic.quarantined_events
    where quarantined_at >= %(begin)s and quarantined_at < %(end)s
      and reason = any(%(far_off)s::text[]) and resolved_at is null
) counted
group by reason, day
