-- Numbers of stored rows, from the audit: counting the tables would read years of events.
select coalesce(sum(raw), 0)::bigint as raw,
       coalesce(sum(processed), 0)::bigint as processed,
       coalesce(sum(quarantined), 0)::bigint as quarantined,
       coalesce(sum(inserted), 0)::bigint as readings
from traffic.micro_batches;
