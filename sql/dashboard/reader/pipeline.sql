-- Lag as the ledger last saw it, the last commit, and the messages per second of the last minute.
-- Compacted audit rows (last_batch_id is set) belong to earlier hours.
select p.timezone,
       coalesce(sum(greatest(o.last_seen_end - o.next_offset, 0)), 0)::bigint as lag,
       count(o.*)::integer as partitions,
       max(o.updated_at) as last_commit,
       (select coalesce(sum(b.delivered), 0)::double precision / 60
        from traffic.micro_batches b
        where b.committed_at > now() - interval '60 seconds' and b.last_batch_id is null)
           as rate
from traffic.platform p
left join traffic.kafka_offsets o on o.active
group by p.timezone
