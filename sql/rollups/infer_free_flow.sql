-- The 85th percentile of the newest 5-minute speeds in light flow, in whole miles per hour, of sensors
-- without an imported free-flow speed. Light flow is up to `light` vehicles per hour and lane. Only rows
-- with good readings throughout count. An inferred speed is replaced only by one that differs by more
-- than `tolerance`, since every row of the sensor depends on it. Returns the sensors whose value
-- changed.
with judged as (
    select s.sensor_id, s.inferred_free_flow_mph as before, light.*
    from traffic.sensors s
    cross join lateral (
        select round(percentile_cont(0.85) within group (order by n.speed)) as speed,
               count(*) as rows
        from (
            select r.speed
            from traffic.readings_5min r
            where r.sensor_id = s.sensor_id and r.speed is not null and r.good = r.samples
              and r.flow <= %(light)s * coalesce(s.lanes, 1)
            order by r.bucket desc
            limit %(newest)s
        ) n
    ) light
    where s.length_mi is not null
      and (s.free_flow_mph is null or s.free_flow_mph not between 1 and 300)
      and (%(all)s or s.inferred_free_flow_mph is null)
)
update traffic.sensors s
set inferred_free_flow_mph = j.speed
from judged j
where s.sensor_id = j.sensor_id and j.rows >= %(fewest)s and j.speed >= 1
  and (j.before is null or abs(j.speed - j.before) > %(tolerance)s)
returning s.sensor_id
