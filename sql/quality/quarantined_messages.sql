-- The newest quarantined messages of a date, including those that arrived on it with a far-off clock. The
-- date is selected first: by the time of arrival alone, all later messages would be read as well.
with of_date as materialized (
    select topic_no, partition, "offset", event_no, reason, detail, quarantined_at
    from traffic.quarantined_events
    where event_date = %(day)s and reason <> all(%(far_off)s::text[]) and resolved_at is null
    union all
    select topic_no, partition, "offset", event_no, reason, detail, quarantined_at
    from traffic.quarantined_events
    where quarantined_at >= %(begin)s and quarantined_at < %(end)s
      and reason = any(%(far_off)s::text[]) and resolved_at is null
)
select t.name as topic, q.partition, q."offset", q.reason, q.detail, q.quarantined_at
from of_date q
join traffic.topics t using (topic_no)
order by q.quarantined_at desc, q.topic_no, q.partition, q."offset" desc, q.event_no
limit %(sample)s
