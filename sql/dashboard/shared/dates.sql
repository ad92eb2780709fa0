-- Dates with readings, newest first. Each step of the recursion finds the next date in the index.
with recursive dates as (
    (select date from traffic.readings_daily order by date desc limit 1)
    union all
    select (select d.date from traffic.readings_daily d where d.date < dates.date
            order by d.date desc limit 1)
    from dates
    where dates.date is not null
)
select date from dates where date is not null limit 3000
