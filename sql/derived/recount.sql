-- Count the readings of a local day again, on one snapshot: what is there now, less what is appended
-- and not yet added up. Only what comes out different is written.
with bound as (
    select %(date)s::date::timestamp at time zone p.timezone as lower,
           (%(date)s::date + 1)::timestamp at time zone p.timezone as upper
    from traffic.platform p
),
short as (
    select u.start, sum(u.readings)::bigint as readings
    from (
        select to_timestamp(floor(date_part('epoch', r."timestamp") / 10) * 10) as start, count(*) as readings
        from bound b
        join traffic.traffic_readings r on r."timestamp" >= b.lower and r."timestamp" < b.upper
        group by 1
        union all
        select c.start, -sum(c.added)
        from bound b
        join traffic.reading_changes c on c.start >= b.lower and c.start < b.upper
        group by 1
        union all
        -- What is counted and not there any more becomes 0.
        select c.start, 0
        from bound b
        join traffic.reading_counts c
          on c.span_s = 10 and c.start >= b.lower and c.start < b.upper
    ) u
    group by 1
)
insert into traffic.reading_counts as c (span_s, start, readings)
select s.span_s, to_timestamp(floor(date_part('epoch', m.start) / s.span_s) * s.span_s),
       sum(m.readings)
from short m
cross join (values (10::smallint), (900::smallint)) s (span_s)
group by 1, 2
on conflict (span_s, start) do update set readings = excluded.readings
where c.readings <> excluded.readings
