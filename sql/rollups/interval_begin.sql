-- Where a sensor's interval changed from `before` to `after`: the time at which the lead of gaps like
-- `before` over gaps like `after` is largest (the cumulative sum of Page, "Continuous Inspection Schemes",
-- Biometrika 41, 1954). Returns that time, the lead there, and of the gaps since then the number, those like
-- `after`, and the newest reading; then whether the period has readings before `since`.
with gap as (
    select g.at, g.next,
           g.gap_s between %(before)s * (1 - %(tolerance)s) and %(before)s * (1 + %(tolerance)s)
               as is_before,
           g.gap_s between %(after)s * (1 - %(tolerance)s) and %(after)s * (1 + %(tolerance)s)
               as is_after
    from (
        select g.at, g.at + g.gap as next,
--| parts/gap_s
                   as gap_s
        from (
            select r."timestamp" as at,
                   lead(r."timestamp") over (order by r."timestamp") - r."timestamp" as gap
            from traffic.traffic_readings r
            where r.sensor_id = %(sensor_id)s and r."timestamp" >= %(since)s
        ) g
        where g.gap is not null
    ) g
)
select c.at, c.lead, c.gaps, c.like_after, c.newest,
       exists (
           select from traffic.traffic_readings r
           where r.sensor_id = %(sensor_id)s and r."timestamp" < %(since)s
             and r."timestamp" >= coalesce(%(valid_from)s::timestamptz, '-infinity')
       ) as more
from (
    select at,
           coalesce(sum(is_before::integer - is_after::integer) over (
               order by at rows between unbounded preceding and 1 preceding), 0) as lead,
           count(*) over later as gaps,
           count(*) filter (where is_after) over later as like_after,
           max(next) over () as newest
    from gap
    -- Backwards: a frame that begins at the current row would be added up anew for each row.
    window later as (order by at desc rows unbounded preceding)
) c
order by c.lead desc, c.at desc
limit 1
