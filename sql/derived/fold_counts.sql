-- Add up what was appended since the last fold, and count again where a 0 was appended. Folds exclude
-- each other, each on one snapshot.
with taken as (
    delete from traffic.reading_changes
    returning start, added
),
counted_again as (
    select t.start, r.readings - coalesce(c.readings, 0) as added
    from (select distinct start from taken where added = 0) t
    cross join lateral (
        select count(*) as readings
        from traffic.traffic_readings r
        where r."timestamp" >= t.start and r."timestamp" < t.start + interval '10 seconds'
    ) r
    left join traffic.reading_counts c on c.span_s = 10 and c.start = t.start
),
change as (
    select start, added from counted_again
    union all
    select t.start, t.added
    from taken t
    where not exists (select from counted_again a where a.start = t.start)
)
insert into traffic.reading_counts as c (span_s, start, readings)
select s.span_s, to_timestamp(floor(date_part('epoch', t.start) / s.span_s) * s.span_s),
       sum(t.added)
from change t
cross join (values (10::smallint), (900::smallint)) s (span_s)
group by 1, 2
having sum(t.added) <> 0
on conflict (span_s, start) do update set readings = c.readings + excluded.readings
