-- Every generation, with the offset up to which its audit rows are compacted.
select o.topic_no, o.partition, o.start_offset, coalesce(f.next_offset, o.start_offset)
from traffic.kafka_offsets o
left join traffic.folded_logs f using (topic_no, partition)
order by o.topic_no, o.partition
