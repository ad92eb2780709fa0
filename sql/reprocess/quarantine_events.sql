-- Messages that today's rules reject. A message that was in quarantine before keeps its row, and the date
-- that counted it.
insert into traffic.quarantined_events as q
    (topic_no, partition, "offset", reason, detail, key, value, broker_timestamp, quarantined_at,
     batch_id, event_date, rules_version, event_no, order_time)
select o.topic_no, o.partition, o."offset", o.reason, o.detail, o.key, o.value, o.sent_at,
       o.arrived_at, case when c.kind = 'leave' then %(batch_id)s else o.batch_id end, o.event_date,
       case when c.kind = 'leave' then %(rules_version)s end, o.event_no,
       nullif(o.order_time, o.broker_timestamp)
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
where c.kind in ('leave', 'restore_quarantined')
on conflict (topic_no, partition, "offset", event_no) do update
set reason = excluded.reason, detail = excluded.detail, resolved_at = null, resolution = null,
    rules_version = %(rules_version)s
