select first_offset, batch_id, coalesce(last_batch_id, batch_id), committed_at
from traffic.micro_batches
where topic_no = %(topic_no)s and partition = %(partition)s and kind = 'ingest'
  and next_offset > %(first_offset)s and first_offset < %(next_offset)s
order by first_offset
