-- A page of a local day, of all sensors, in the order of time, and how many readings the day has, on
-- one snapshot. What was counted (traffic.reading_counts) plus what is appended and not added up yet
-- says which ten seconds the page begins in; the index by time leads from there. Returns the total
-- and the items as JSON. `first` is the number of readings on the pages before.
with added as materialized (
    select start, sum(added) as readings
    from traffic.reading_changes
    where start >= %(lower)s and start < %(upper)s
    group by start
),
quarter as materialized (
    select start, sum(readings) as readings, sum(sum(readings)) over (order by start) as until
    from (
        select start, readings
        from traffic.reading_counts
        where span_s = 900 and start >= %(lower)s and start < %(upper)s
        union all
        select to_timestamp(floor(date_part('epoch', start) / 900) * 900), readings
        from added
    ) u
    group by 1
),
quarter_here as (
    select start, until - readings as before
    from quarter
    where until > %(first)s
    order by start
    limit 1
),
span_here as (
    select start, until - readings as before
    from (
        select u.start, sum(u.readings) as readings,
               h.before + sum(sum(u.readings)) over (order by u.start) as until
        from quarter_here h
        cross join lateral (
            select start, readings
            from traffic.reading_counts
            where span_s = 10 and start >= h.start and start < h.start + interval '15 minutes'
            union all
            select start, readings
            from added
            where start >= h.start and start < h.start + interval '15 minutes'
        ) u
        group by u.start, h.before
    ) s
    where until > %(first)s
    order by start
    limit 1
),
-- The reading that the page begins with.
key_here as (
    select k."timestamp", k.sensor_id
    from span_here s
    cross join lateral (
        select r."timestamp", r.sensor_id
        from traffic.traffic_readings r
        where r."timestamp" >= s.start and r."timestamp" < %(upper)s
        order by r."timestamp", r.sensor_id
        offset (%(first)s - s.before)::bigint
        limit 1
    ) k
),
-- The rest of its moment, then what comes after: each a range of the index.
page as (
    select i.*
    from key_here k
    cross join lateral (
        (
            select r.id, r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy, r.quality_score
            from traffic.traffic_readings r
            where r."timestamp" = k."timestamp" and r.sensor_id >= k.sensor_id
            order by r.sensor_id
            limit %(size)s
        )
        union all
        (
            select r.id, r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy, r.quality_score
            from traffic.traffic_readings r
            where r."timestamp" > k."timestamp" and r."timestamp" < %(upper)s
            order by r."timestamp", r.sensor_id
            limit %(size)s
        )
        limit %(size)s
    ) i
)
select coalesce((select max(until) from quarter), 0)::bigint as total,
       convert_to(coalesce((
           select string_agg(traffic.reading_json(id, sensor_id, "timestamp", speed, volume,
                                                  occupancy, quality_score), ','
                             order by "timestamp", sensor_id)
           from page), ''), 'UTF8') as items
