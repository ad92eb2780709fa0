-- The newest dates of what was stored, or rebuilt, since %(since)s, and how many others there are. Dates
-- that no clock can rightly say (ahead of today, before the first) are of messages in quarantine, which
-- count where they arrived.
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
