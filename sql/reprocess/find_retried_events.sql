-- Staged messages that are events under today's rules and still unresolved in quarantine.
insert into pg_temp.event_changes
select 'enter', o.topic_no, o.partition, o."offset", o.event_no, q.batch_id, q.event_date, null,
       null, false
from pg_temp.rebuilt_outcomes o
join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
where o.sensor_id is not null and q.resolved_at is null
