-- Compare the reading counts, which lead to the pages of a date, with the readings. Counts are per ten
-- seconds and per quarter of an hour. Changes that are not added up yet count, too.
with actual as (
    select to_timestamp(floor(date_part('epoch', "timestamp") / 900) * 900) as start,
           count(*) as readings
    from traffic.traffic_readings
    group by 1
),
counted as (
    select c.span_s, c.start, sum(c.readings) as readings
    from (
        select span_s, to_timestamp(floor(date_part('epoch', start) / 900) * 900) as start, readings
        from traffic.reading_counts
        union all
        select s.span_s, to_timestamp(floor(date_part('epoch', g.start) / 900) * 900), g.added
        from traffic.reading_changes g
        cross join (values (10), (900)) s (span_s)
    ) c
    group by c.span_s, c.start
)
select 'reading_counts' as table_name,
       json_build_object('span_s', s.span_s, 'start', coalesce(a.start, c.start)) as key,
       coalesce(a.readings, 0) || ' readings' as expected,
       coalesce(c.readings, 0) || ' counted' as found
from (values (10), (900)) s (span_s)
cross join (select start from actual union select start from counted) n
left join actual a using (start)
left join counted c on c.start = n.start and c.span_s = s.span_s
where coalesce(a.readings, 0) <> coalesce(c.readings, 0)
order by coalesce(a.start, c.start), s.span_s
limit %(limit)s
