-- The newest date (the platform's zone) among those that the last thousand batches brought data for.
select max(d.date)
from (
    select event_dates
    from traffic.micro_batches
    order by batch_id desc
    limit 1000
) b
cross join unnest(b.event_dates) d (date)
