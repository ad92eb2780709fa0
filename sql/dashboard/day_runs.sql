-- Dagster's runs that brought something of a date, newest first; folded rows name several.
select run.run_id, count(*) as batches, sum(b.processed)::bigint as events,
       min(coalesce(b.first_committed_at, b.committed_at)) as first, max(b.committed_at) as last
from traffic.micro_batches b
cross join lateral unnest(coalesce(b.run_ids, array[b.run_id])) as run (run_id)
where b.event_dates @> array[%(date)s::date] and run.run_id is not null
group by run.run_id
order by last desc
limit 20
