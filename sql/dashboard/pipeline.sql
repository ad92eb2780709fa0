-- What is in Kafka and not stored yet, as the ledger last saw it, and when it last moved.
select now() as now, p.timezone,
       coalesce(sum(greatest(o.last_seen_end - o.next_offset, 0)), 0)::bigint as lag,
       count(o.*)::integer as partitions,
       max(o.updated_at) as last_commit
from traffic.platform p
left join traffic.kafka_offsets o on o.active
group by p.timezone
