-- Every log, and up to which offset its audit rows have been folded already.
select o.topic_no, o.partition, o.start_offset, coalesce(f.next_offset, o.start_offset)
from traffic.kafka_offsets o
left join traffic.folded_logs f using (topic_no, partition)
order by o.topic_no, o.partition
