-- Number and newest of the audit rows of reprocessing and backfills, and number of backfilled dates.
-- Both change readings without advancing an offset. The audit rows are found by their partial index. A
-- backfill that changes only readings has no audit row.
select c.batches, c.newest, r.rebuilds
from (
    select count(*) as batches, max(batch_id) as newest
    from traffic.micro_batches
    where kind <> 'ingest'
) c
cross join (select count(*) as rebuilds from traffic.rebuilds) r
