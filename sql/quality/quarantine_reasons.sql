-- Messages in quarantine by reason and by the date that they count at.
select reason, event_date as day, count(*) as messages
from traffic.quarantined_events
where event_date = any(%(days)s::date[]) and resolved_at is null
group by reason, event_date
