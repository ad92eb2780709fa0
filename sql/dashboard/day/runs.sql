-- Dagster runs that ingested messages of a date, newest first, with their counts. A compacted audit row
-- has one count for all its runs: each of them gets it as an upper bound, marked `shared`.
select run.run_id, sum((counts.of_date ->> 'raw')::bigint)::bigint as messages,
       sum((counts.of_date ->> 'processed')::bigint)::bigint as events,
       coalesce(bool_or(cardinality(b.run_ids) > 1), false) as shared,
       min(coalesce(b.first_committed_at, b.committed_at)) as first, max(b.committed_at) as last
from traffic.micro_batches b
cross join lateral unnest(coalesce(b.run_ids, array[b.run_id])) as run (run_id)
cross join lateral (select b.date_counts -> to_char(%(date)s::date, 'YYYY-MM-DD')) counts (of_date)
where b.event_dates @> array[%(date)s::date] and run.run_id is not null
group by run.run_id
-- Corrections hold signed differences: leave out runs that added nothing to the date.
having sum((counts.of_date ->> 'raw')::bigint) > 0
    or sum((counts.of_date ->> 'processed')::bigint) > 0
order by last desc, run.run_id
limit 20
