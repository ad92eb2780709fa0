update traffic.kafka_offsets
set leader_epoch = null, updated_at = now()
where topic = %(topic)s and partition = %(partition)s and active
