-- The newest local date with data in the last thousand batches. Only dates from the first one to today count,
-- because clocks that are far off claim others.
select max(d.date)
from (
    select event_dates
    from traffic.micro_batches
    order by batch_id desc
    limit 1000
) b
cross join unnest(b.event_dates) d (date)
where d.date between %(first_date)s and %(today)s
