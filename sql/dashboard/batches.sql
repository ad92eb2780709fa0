-- Batches from a number on; a few numbers are taken before they are committed.
select batch_id, max(committed_at) as committed_at, sum(delivered)::bigint as delivered,
       sum(processed)::bigint as processed, sum(quarantined)::bigint as quarantined
from traffic.micro_batches
where batch_id >= %(first)s
group by batch_id
order by batch_id
