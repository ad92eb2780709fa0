-- Outcomes of the staged messages that are still rejected, by the reason before, the reason now (null: an
-- event) and the date. The last column counts changes of the reason or its detail.
select q.reason, o.reason, o.event_date, count(*),
       count(*) filter (where o.reason is not null and (o.reason, o.detail) <> (q.reason, q.detail))
from pg_temp.rebuilt_outcomes o
join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
where q.resolved_at is null
group by q.reason, o.reason, o.event_date
