-- Each partition generation of the ledger, with its identity in Kafka and its number of raw messages.
select o.topic_no, o.partition, o.topic, o.start_offset, o.next_offset, o.active,
       t.name, t.kafka_topic_id, t.cluster_id,
       coalesce((
           select sum(b.raw - b.dropped_raw) from traffic.micro_batches b
           where b.topic_no = o.topic_no and b.partition = o.partition
       ), 0)::bigint as raw,
       exists (
           select from traffic.kafka_offsets later
           where later.topic = o.topic and later.partition = o.partition
             and later.topic_no > o.topic_no
       ) as succeeded
from traffic.kafka_offsets o
join traffic.topics t using (topic_no)
order by o.topic_no, o.partition
