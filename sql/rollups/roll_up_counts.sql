-- Adds up the counts appended since the last roll-up. Roll-ups exclude each other, each on one snapshot.
with taken as (
    delete from traffic.reading_changes
    returning start, added
)
insert into traffic.reading_counts as c (span_s, start, readings)
select s.span_s, to_timestamp(floor(date_part('epoch', t.start) / s.span_s) * s.span_s),
       sum(t.added)
from taken t
cross join (values (10::smallint), (900::smallint)) s (span_s)
group by 1, 2
having sum(t.added) <> 0
on conflict (span_s, start) do update set readings = c.readings + excluded.readings
