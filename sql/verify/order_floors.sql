-- The batches of a generation that keep order times: where each begins, the largest order times before it
-- and up to its end, and whether retention dropped messages of it.
select first_offset, timestamptz_send(order_floor), timestamptz_send(order_time), dropped_raw > 0
from (
    select b.first_offset, b.order_floor, b.dropped_raw,
           coalesce(lead(b.order_floor) over (order by b.first_offset, b.next_offset, b.batch_id),
                    o.order_time) as order_time
    from traffic.micro_batches b
    join traffic.kafka_offsets o using (topic_no, partition)
    where b.topic_no = %(topic_no)s and b.partition = %(partition)s and b.kind = 'ingest'
) batch
where order_floor is not null
order by first_offset
