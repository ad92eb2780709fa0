-- Dates before a day for which data has been stored since their detectors were diagnosed, or which
-- never were, the newest first: late data, or a night on which the machine was off. What was found of
-- readings that retention has dropped since is not found again.
with stored as (
    select day, max(b.committed_at) as committed_at
    from traffic.micro_batches b
    cross join lateral unnest(b.event_dates) day
    where day < %(before)s and day >= %(first_date)s
    group by day
), diagnosed as (
    select date as day, diagnosed_at
    from traffic.diagnosed_dates
)
select day
from stored
left join diagnosed using (day)
where (diagnosed_at is null or committed_at > diagnosed_at)
  and not exists (
      select
      from traffic.dropped_rows g
      cross join traffic.platform p
      where g.table_name = 'traffic_readings'
        and g.lower_bound < (day + 1)::timestamp at time zone p.timezone
        and g.upper_bound > day::timestamp at time zone p.timezone
  )
order by day desc
limit %(most)s
