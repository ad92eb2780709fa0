-- Unpublished offsets of the raw topic's generations, unpublished reprocessed events, and unpublished
-- offsets of all generations where quarantine is published too.
select coalesce(sum(greatest(0, o.next_offset - coalesce(p.next_position, o.start_offset)))
                filter (where r.route <> 'replays'), 0)::bigint as offsets,
       coalesce(sum((
           select count(*)
           from traffic.replayed_events e
           where e.topic_no = o.topic_no and e.partition = o.partition
             and e.replay_no >= coalesce(p.next_position, 1)
       )) filter (where r.route = 'replays'), 0)::bigint as replays
from traffic.kafka_offsets o
cross join unnest(%(routes)s::text[]) as r (route)
left join traffic.publications p
  on p.topic_no = o.topic_no and p.partition = o.partition and p.route = r.route
where r.route = 'quarantine' or o.topic = %(raw_topic)s
