-- The 85th percentile of the newest 5-minute speeds in light flow, in whole miles per hour, of sensors
-- without an imported free-flow speed. Light flow is up to `light` vehicles per hour and lane. Only rows
-- with good readings throughout count. A first speed fills every period that has none. A speed that
-- differs by more than `tolerance` begins a period now. Returns the sensors whose value changed, and the
-- begin of the change.
with judged as (
    select s.sensor_id, s.inferred_free_flow_mph as before, light.*
    from traffic.sensors s
    cross join lateral (
        select round(percentile_cont(0.85) within group (order by n.speed)) as speed,
               count(*) as rows
        from (
            select r.speed, r.bucket
            from (
                select * from traffic.sensor_timeline t where t.sensor_id = s.sensor_id offset 0
            ) t
            cross join lateral (
                select r.speed, r.bucket
                from traffic.readings_5min r
                where r.sensor_id = s.sensor_id and r.speed is not null and r.good = r.samples
                  and r.flow <= %(light)s * coalesce(t.lanes, 1)
                  and r.bucket >= t.valid_from and r.bucket < t.valid_until
                order by r.bucket desc
                limit %(newest)s
            ) r
            order by r.bucket desc
            limit %(newest)s
        ) n
    ) light
    where s.length_mi is not null and not s.retired
      and (s.free_flow_mph is null or s.free_flow_mph not between 1 and 300)
      and (%(all)s or s.inferred_free_flow_mph is null)
),
changed as (
    select j.sensor_id, j.before, j.speed
    from judged j
    where j.rows >= %(fewest)s and j.speed >= 1
      and (j.before is null or abs(j.speed - j.before) > %(tolerance)s)
),
filled as (
    update traffic.sensor_periods p
    set inferred_free_flow_mph = c.speed
    from changed c
    where p.sensor_id = c.sensor_id and c.before is null and p.inferred_free_flow_mph is null
    returning p.sensor_id, null::timestamptz as since
),
begun as (
    insert into traffic.sensor_periods as p
        (sensor_id, valid_from, interval_s, length_mi, lanes, free_flow_mph, rural, retired,
         inferred_interval_s, inferred_free_flow_mph, source)
    select s.sensor_id,
           greatest(s.valid_from, date_bin('5 minutes', now(), '2000-01-01 00:00+00')),
           s.interval_s, s.length_mi, s.lanes, s.free_flow_mph, s.rural, s.retired,
           s.inferred_interval_s, c.speed, 'inferred'
    from changed c
    join traffic.sensors s using (sensor_id)
    where c.before is not null
    on conflict (sensor_id, valid_from) do update
    set inferred_free_flow_mph = excluded.inferred_free_flow_mph
    returning p.sensor_id, nullif(p.valid_from, '-infinity') as since
)
select sensor_id, since from filled
union
select sensor_id, since from begun
