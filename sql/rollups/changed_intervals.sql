-- Sensors whose newest readings mostly come at another interval than the inferred one.
select s.sensor_id, s.inferred_interval_s as before, frequent.interval_s as after,
       frequent.newest, nullif(s.valid_from, '-infinity') as valid_from
from traffic.sensors s
cross join lateral (
--| parts/frequent_gap
) frequent
where s.interval_s is null and s.inferred_interval_s is not null and not s.retired
  and frequent.gaps >= %(fewest)s
  and frequent.interval_s not between s.inferred_interval_s * (1 - %(tolerance)s)
                                  and s.inferred_interval_s * (1 + %(tolerance)s)
  -- Most gaps of the last day, and most of the last twelve.
  and (
      select 2 * count(*) filter (where near) > count(*)
         and 2 * count(*) filter (where near and number <= 12) > least(12, count(*))
      from (
          select number, gap_s between frequent.interval_s * (1 - %(tolerance)s)
                                   and frequent.interval_s * (1 + %(tolerance)s) as near
          from unnest(frequent.all_gaps) with ordinality a (gap_s, number)
      ) a
  )
