-- The newest dates of events that were stored, or rebuilt, since %(since)s, and how many others there
-- are.
select day, greatest(0, count(*) over () - %(most)s)::bigint as others
from (
    select distinct unnest(event_dates) as day
    from traffic.micro_batches
    where committed_at >= %(since)s
    union
    select date
    from traffic.rebuilds
    where committed_at >= %(since)s
) touched
order by day desc
limit %(most)s
