update traffic.kafka_offsets
set active = false, updated_at = now()
where topic = %(topic)s and partition = %(partition)s and active
