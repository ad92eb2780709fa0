-- When each partition last advanced in the ledger, and (topic and partition null) when the publisher last advanced.
select topic, partition, extract(epoch from max(updated_at))::float8
from traffic.kafka_offsets
where active and next_offset > start_offset and topic = any(%(topics)s)
group by topic, partition
union all
select null, null, extract(epoch from max(updated_at))::float8
from traffic.publications
having max(updated_at) is not null
