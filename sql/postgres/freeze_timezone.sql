-- The first caller freezes the time zone of dates. Every caller gets the frozen zone.
with frozen as (
    insert into traffic.platform (timezone) values (%(timezone)s)
    on conflict (singleton) do nothing
    returning timezone
)
select timezone from frozen
union all
select timezone from traffic.platform
limit 1
