update traffic.kafka_offsets
set next_offset = %(next_offset)s, updated_at = now()
where topic = %(topic)s and partition = %(partition)s and active
