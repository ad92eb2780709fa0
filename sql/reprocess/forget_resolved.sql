-- Forget changes of messages that were resolved since the comparison.
delete from pg_temp.event_changes c
where c.kind = 'enter' and not exists (
    select from traffic.quarantined_events q
    where q.topic_no = c.topic_no and q.partition = c.partition and q."offset" = c."offset"
      and q.event_no = c.event_no
      and q.resolved_at is null
)
