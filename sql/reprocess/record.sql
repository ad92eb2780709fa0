insert into traffic.rebuilt_events
    (topic_no, partition, "offset", event_no, batch_id, was, was_batch_id, was_date, becomes, event_date)
select c.topic_no, c.partition, c."offset", c.event_no, %(batch_id)s,
       case when c.kind = 'enter' then 'quarantined' else 'processed' end, c.was_batch_id, c.was_date,
       case when c.kind = 'leave' then 'quarantined' else 'processed' end,
       case when c.kind = 'leave' then q.event_date else o.event_date end
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
left join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
where c.recorded
returning topic_no, partition, "offset", was, was_date, becomes, event_date
