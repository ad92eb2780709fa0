-- The position of each route at which everything that is stored now is published.
select r.route, o.topic_no, o.partition,
       case r.route
           when 'replays' then (
               select coalesce(max(e.replay_no), 0) + 1
               from traffic.replayed_events e
               where e.topic_no = o.topic_no and e.partition = o.partition
           )
           else o.next_offset
       end
from traffic.kafka_offsets o
cross join unnest(%(routes)s::text[]) as r (route)
where r.route = 'quarantine' or o.topic = %(raw_topic)s
