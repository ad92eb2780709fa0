-- Rejected messages of a date by reason, and those that are still unresolved.
select q.reason, count(*)::bigint as messages,
       count(*) filter (where q.resolved_at is null)::bigint as unresolved
from traffic.quarantined_events q
where q.event_date = %(date)s::date
group by q.reason
order by messages desc, q.reason
