-- Batches of ingest with the largest order times before them and up to their end. Batches from before order
-- times were kept have none before them.
select b.first_offset, b.batch_id, coalesce(b.last_batch_id, b.batch_id), b.committed_at,
       timestamptz_send(b.order_floor), timestamptz_send(coalesce(following.order_floor, o.order_time))
from traffic.micro_batches b
join traffic.kafka_offsets o using (topic_no, partition)
left join lateral (
    select n.order_floor
    from traffic.micro_batches n
    where n.topic_no = b.topic_no and n.partition = b.partition and n.kind = 'ingest'
      and n.first_offset >= b.next_offset
    order by n.first_offset, n.batch_id
    limit 1
) following on true
where b.topic_no = %(topic_no)s and b.partition = %(partition)s and b.kind = 'ingest'
  and b.next_offset > %(first_offset)s and b.first_offset < %(next_offset)s
order by b.first_offset
