-- How many audit rows of replays and rebuilds there are, the newest, and how many dates were rebuilt:
-- what they bring lies behind the offsets that are stored already. The audit rows by the partial index
-- of these few; a rebuild that changes readings alone has none.
select c.batches, c.newest, r.rebuilds
from (
    select count(*) as batches, max(batch_id) as newest
    from traffic.micro_batches
    where kind <> 'ingest'
) c
cross join (select count(*) as rebuilds from traffic.rebuilds) r
