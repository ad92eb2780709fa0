select reason, count(*) as messages, max(quarantined_at) as newest
from traffic.quarantined_events
where resolved_at is null
group by reason
order by messages desc, reason
