-- The number of leaving events that the publisher has not passed yet, by their offset, or by the
-- replay_no of events that came from quarantine.
select count(*)
from pg_temp.event_changes c
where c.kind = 'leave' and (
    exists (
        select from traffic.publications p
        where p.topic_no = c.topic_no and p.partition = c.partition and p.route = 'events'
          and p.next_position <= c."offset"
    ) or exists (
        select from traffic.replayed_events e
        join traffic.publications p
            on p.topic_no = e.topic_no and p.partition = e.partition and p.route = 'replays'
            and p.next_position <= e.replay_no
        where e.topic_no = c.topic_no and e.partition = c.partition and e."offset" = c."offset"
          and e.event_no = c.event_no
    )
)
