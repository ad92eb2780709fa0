-- Unresolved rejected messages by reason, with the arrival time of the newest.
select reason, count(*) as messages, max(coalesce(broker_timestamp, quarantined_at)) as newest
from traffic.quarantined_events
where resolved_at is null
group by reason
order by messages desc, reason
