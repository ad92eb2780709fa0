-- The most frequent gap of each sensor's newest readings, the shortest of several. Jitter is less than
-- half a second. An inferred interval is replaced only by the gap of most readings, so that it does not
-- alternate. Returns the sensors whose value changed.
with judged as (
    select s.sensor_id, s.inferred_interval_s as before, gap.*
    from traffic.sensors s
    cross join lateral (
        select mode() within group (order by g.gap_s) as interval_s, count(*) as gaps,
               array_agg(g.gap_s) as all_gaps
        from (
            select greatest(1, round(date_part('epoch', t.gap)))::integer as gap_s
            from (
                select n."timestamp" - lag(n."timestamp") over (order by n."timestamp") as gap
                from (
                    select r."timestamp"
                    from traffic.traffic_readings r
                    where r.sensor_id = s.sensor_id
                    order by r."timestamp" desc
                    limit %(newest)s
                ) n
            ) t
            where t.gap is not null
        ) g
    ) gap
    where s.interval_s is null
      and (%(all)s or s.inferred_interval_s is null
           and s.sensor_id in (select d.sensor_id from pg_temp.dirty_ranges d))
)
update traffic.sensors s
set inferred_interval_s = j.interval_s
from judged j
where s.sensor_id = j.sensor_id and j.gaps >= %(fewest)s
  and j.interval_s is distinct from j.before
  and (j.before is null
       or 2 * cardinality(array_positions(j.all_gaps, j.interval_s)) > j.gaps)
returning s.sensor_id
