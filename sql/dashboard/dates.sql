-- Dates that hold readings, newest first, by stepping from one to the next in the index.
with recursive dates as (
    (select date from traffic.readings_daily order by date desc limit 1)
    union all
    select (select d.date from traffic.readings_daily d where d.date < dates.date
            order by d.date desc limit 1)
    from dates
    where dates.date is not null
)
select date from dates where date is not null limit 3000
