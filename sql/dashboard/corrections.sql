-- How many audit rows of replays and rebuilds there are, and the newest: what they bring lies behind
-- the offsets that are stored already. By the partial index of these few.
select count(*) as batches, max(batch_id) as newest
from traffic.micro_batches
where kind <> 'window'
