-- Messages in quarantine by reason, and when the newest of them arrived.
select reason, count(*) as messages, max(coalesce(broker_timestamp, quarantined_at)) as newest
from traffic.quarantined_events
where resolved_at is null
group by reason
order by messages desc, reason
