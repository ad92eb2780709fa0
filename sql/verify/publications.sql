-- Positions and destinations of publishing, for events and reprocessed events of each generation.
select o.topic_no, o.partition, o.start_offset, e.next_position, coalesce(r.next_position, 1),
       e.destination_topic, e.destination_topic_id, e.destination_partition
from traffic.kafka_offsets o
join traffic.publications e
  on e.topic_no = o.topic_no and e.partition = o.partition and e.route = 'events'
left join traffic.publications r
  on r.topic_no = o.topic_no and r.partition = o.partition and r.route = 'replays'
order by o.topic_no, o.partition
