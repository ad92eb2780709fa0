-- The first caller decides the zone whose days are "dates"; everybody gets what was decided.
with decided as (
    insert into traffic.platform (timezone) values (%(timezone)s)
    on conflict (singleton) do nothing
    returning timezone
)
select timezone from decided
union all
select timezone from traffic.platform
limit 1
