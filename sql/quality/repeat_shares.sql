-- Events and repeats by the day of arrival, with the range of their batches.
select (committed_at at time zone %(timezone)s)::date as day,
       sum(processed)::bigint as events, sum(updated + unchanged + superseded)::bigint as repeats,
       min(batch_id) as first_batch, max(coalesce(last_batch_id, batch_id)) as last_batch
from traffic.micro_batches
where committed_at >= %(begin)s and committed_at < %(end)s and kind = 'ingest'
group by 1
