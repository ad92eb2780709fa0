-- Audit rows whose counts do not add up, among the newest of each log.
select b.batch_id, b.topic_no, b.partition, b.first_offset, b.next_offset, b.delivered, b.raw,
       b.echoes, b.processed, b.quarantined
from traffic.kafka_offsets o
cross join lateral (
    select * from traffic.micro_batches b
    where b.topic_no = o.topic_no and b.partition = o.partition
    order by b.first_offset desc limit %(most)s
) b
where b.delivered <> b.raw + b.echoes
   or b.raw <> b.processed + b.quarantined
   or b.delivered > b.next_offset - b.first_offset
order by b.batch_id
limit %(sample)s
