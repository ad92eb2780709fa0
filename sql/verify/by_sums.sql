-- Batches and rows that only sums can prove: compacted batches, and rows that retention dropped.
select (select coalesce(sum(batches), 0)::bigint from traffic.micro_batches
        where last_batch_id is not null) as folded_batches,
       (select coalesce(max(last_batch_id), 0) from traffic.micro_batches) as folded_to,
       (select count(*) from traffic.micro_batches where last_batch_id is not null) as folded_into,
       coalesce(sum(rows) filter (where table_name = 'raw_events'), 0)::bigint as raw_events,
       coalesce(sum(rows) filter (where table_name = 'processed_events'), 0)::bigint
           as processed_events,
       coalesce(sum(rows) filter (where table_name = 'traffic_readings'), 0)::bigint
           as traffic_readings
from traffic.dropped_rows
