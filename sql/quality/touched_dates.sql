-- The newest dates with data stored or backfilled since `since`, and how many others there are. Dates after
-- today or before the first one belong to quarantined messages, which count at their arrival.
select day, greatest(0, count(*) over () - %(most)s)::bigint as others
from (
    select case when d.day between %(first_date)s and %(today)s then d.day
                else (b.committed_at at time zone %(timezone)s)::date end as day
    from traffic.micro_batches b
    cross join unnest(b.event_dates) d (day)
    where b.committed_at >= %(since)s
    union
    select date
    from traffic.rebuilds
    where committed_at >= %(since)s
) touched
where day between %(first_date)s and %(today)s
order by day desc
limit %(most)s
