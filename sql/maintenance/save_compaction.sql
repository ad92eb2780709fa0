insert into traffic.folded_logs (topic_no, partition, next_offset)
values (%(topic_no)s, %(partition)s, %(next_offset)s)
on conflict (topic_no, partition) do update
set next_offset = excluded.next_offset, updated_at = now()
