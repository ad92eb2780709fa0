-- Every generation with the ledger's next offset, Kafka's id of its topic (null: it has a successor) and
-- the position of each route (null: not published yet).
select o.topic, o.topic_no, o.partition, o.start_offset, o.next_offset,
       case when o.active then t.kafka_topic_id end, r.route, p.next_position, p.destination_topic_id,
       p.destination_partition, p.destination_next_offset
from traffic.kafka_offsets o
join traffic.topics t using (topic_no)
cross join unnest(%(routes)s::text[]) as r (route)
left join traffic.publications p
  on p.topic_no = o.topic_no and p.partition = o.partition and p.route = r.route
where r.route = 'quarantine' or o.topic = %(raw_topic)s
order by o.partition, o.topic_no, r.route
