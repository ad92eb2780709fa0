-- Audit rows whose counts do not add up, among the newest of each partition generation. Rows of backfills and
-- reprocessing correct old offsets, so their newest ones are found by batch_id.
select b.batch_id, b.topic_no, b.partition, b.first_offset, b.next_offset, b.delivered, b.raw,
       b.echoes, b.processed, b.quarantined
from traffic.kafka_offsets o
cross join lateral (
    (
        select * from traffic.micro_batches w
        where w.topic_no = o.topic_no and w.partition = o.partition and w.kind = 'ingest'
        order by w.first_offset desc limit %(most)s
    )
    union all
    (
        select * from traffic.micro_batches c
        where c.topic_no = o.topic_no and c.partition = o.partition and c.kind <> 'ingest'
        order by c.batch_id desc limit %(most)s
    )
) b
where b.delivered <> b.raw + b.echoes
   or b.raw <> b.processed + b.quarantined
   or b.delivered > b.next_offset - b.first_offset
order by b.batch_id
limit %(sample)s
