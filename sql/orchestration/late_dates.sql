-- Dates before a day, newest first, that received data after their diagnosis (among batches committed since
-- `since`) or that have data but no diagnosis at all: late data, or a night on which the machine was off.
-- Dates whose readings retention has dropped do not count. Reads only these batches of the audit.
with missing as (
    select array_agg(day::date) as days
    from generate_series(%(first_date)s::timestamp, %(before)s::timestamp - interval '1 day',
                         interval '1 day') day
    where not exists (select from traffic.diagnosed_dates d where d.date = day::date)
), stored as (
    -- Never diagnosed: the index on dates leads to the batches of these dates alone.
    select unnest(b.event_dates) as day, null::timestamptz as committed_at
    from traffic.micro_batches b
    where b.event_dates && (select days from missing)
    union all
    -- Diagnosed before: the index on time.
    select unnest(b.event_dates), b.committed_at
    from traffic.micro_batches b
    where b.committed_at >= %(since)s
), late as (
    select distinct s.day
    from stored s
    left join traffic.diagnosed_dates d on d.date = s.day
    where s.day < %(before)s and s.day >= %(first_date)s
      and (d.diagnosed_at is null or s.committed_at > d.diagnosed_at)
)
select day
from late
where not exists (
    select
    from traffic.dropped_rows g
    cross join traffic.platform p
    where g.table_name = 'traffic_readings'
      and g.lower_bound < (day + 1)::timestamp at time zone p.timezone
      and g.upper_bound > day::timestamp at time zone p.timezone
)
order by day desc
limit %(most)s
