-- The difference between the readings of a time range and their counts, after a change made outside the
-- platform. One snapshot shows counts, appended counts and readings consistently beside ingest and
-- roll-ups. Two corrections at a time would both append the difference.
with actual as (
    select to_timestamp(floor(date_part('epoch', "timestamp") / 10) * 10) as start,
           count(*) as readings
    from traffic.traffic_readings
    where "timestamp" >= %(first)s and "timestamp" < %(until)s
    group by 1
),
counted as (
    select c.start, sum(c.readings) as readings
    from (
        select start, readings
        from traffic.reading_counts
        where span_s = 10 and start >= %(first)s and start < %(until)s
        union all
        select start, added
        from traffic.reading_changes
        where start >= %(first)s and start < %(until)s
    ) c
    group by c.start
)
insert into traffic.reading_changes (start, added)
select start, (coalesce(a.readings, 0) - coalesce(c.readings, 0))::bigint
from actual a
full join counted c using (start)
where coalesce(a.readings, 0) <> coalesce(c.readings, 0)
