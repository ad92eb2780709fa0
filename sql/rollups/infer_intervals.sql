-- Intervals of sensors of pg_temp.dirty_ranges, or of all, that have none. They fill every period that has
-- none. Returns these sensors.
with judged as (
    select s.sensor_id, frequent.*
    from traffic.sensors s
    cross join lateral (
--| parts/frequent_gap
    ) frequent
    where s.interval_s is null and s.inferred_interval_s is null
      and (%(all)s or s.sensor_id in (select d.sensor_id from pg_temp.dirty_ranges d))
),
filled as (
    update traffic.sensor_periods p
    set inferred_interval_s = j.interval_s
    from judged j
    where p.sensor_id = j.sensor_id and j.gaps >= %(fewest)s
      and p.interval_s is null and p.inferred_interval_s is null
    returning p.sensor_id
)
select distinct sensor_id from filled
