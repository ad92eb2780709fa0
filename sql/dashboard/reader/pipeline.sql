-- Lag as the ledger last saw it, the last commit, and the messages delivered in the last minute.
-- Compacted audit rows (last_batch_id is set) belong to earlier hours.
select now() as now, p.timezone,
       coalesce(sum(greatest(o.last_seen_end - o.next_offset, 0)), 0)::bigint as lag,
       count(o.*)::integer as partitions,
       max(o.updated_at) as last_commit,
       (select coalesce(sum(b.delivered), 0)::bigint
        from traffic.micro_batches b
        where b.committed_at > now() - interval '60 seconds' and b.last_batch_id is null)
           as delivered
from traffic.platform p
left join traffic.kafka_offsets o on o.active
group by p.timezone
