-- The most frequent gap of the sensor `s`, the shortest of several, from its newest readings of the
-- current period: those of the last day, and the last thirteen however old.
select mode() within group (order by n.gap_s) as interval_s, count(*) as gaps,
       array_agg(n.gap_s order by n.at desc) as all_gaps, max(n.at) as newest
from (
    select g.at,
--| parts/gap_s
               as gap_s
    from (
        select r."timestamp" as at,
               r."timestamp" - lag(r."timestamp") over (order by r."timestamp") as gap,
               max(r."timestamp") over () as newest,
               row_number() over (order by r."timestamp" desc) as number
        from (
            select r."timestamp"
            from traffic.traffic_readings r
            where r.sensor_id = s.sensor_id and r."timestamp" >= s.valid_from
            order by r."timestamp" desc
            limit %(newest)s
        ) r
    ) g
    where g.gap is not null and (g.number < 13 or g.at > g.newest - interval '1 day')
) n
