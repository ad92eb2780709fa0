-- Pages of a local day over all sensors, by time, and the day's number of readings, on one snapshot. The
-- counts (traffic.reading_counts), plus the changes that are not added up yet, give the ten seconds in
-- which a page begins and ends; the index by time leads there. Where maintenance has built the ordered
-- index of the month (index_closed_months.py), the page's first reading comes from it alone. The readings
-- before it are not read, and a page costs half. `firsts` are the numbers of readings on the pages
-- before. Returns the total and the items as JSON, one row for each requested page in its order.
with added as materialized (
    select start, sum(added) as readings
    from traffic.reading_changes
    where start >= %(lower)s and start < %(upper)s
    group by start
),
quarter as materialized (
    select start, sum(readings)::bigint as readings,
           (sum(sum(readings)) over (order by start))::bigint as until
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
ordered as materialized (
    select count(*) filter (where i.indisvalid) = count(*) as in_order
    from (
        select 'traffic_readings_' || to_char(m.at at time zone 'UTC', 'YYYYMM') as name
        from unnest(array[%(lower)s::timestamptz, %(upper)s::timestamptz - interval '1 us']) m (at)
    ) n
    join pg_class c on c.relname = n.name and c.relnamespace = 'traffic'::regnamespace
    left join pg_index i
        on i.indrelid = c.oid and i.indexrelid = to_regclass('traffic.' || n.name || '_in_order')
)
select (select coalesce(max(until), 0) from quarter)::bigint as total,
       convert_to(coalesce(p.items, ''), 'UTF8') as items
from unnest(%(firsts)s::bigint[], %(sizes)s::integer[])
    with ordinality w (first, size, number)
cross join lateral (
    select string_agg(traffic.reading_json(i.sensor_id, i."timestamp",
        --| measures i.{m},
        i.quality_score), ','
                      order by i."timestamp", i.sensor_id) as items
    from (
        select start, until - readings as before
        from quarter
        where until > w.first
        order by start
        limit 1
    ) h
    cross join lateral (
        select start, before
        from (
            select u.start, (h.before + sum(sum(u.readings)) over (order by u.start))::bigint as until,
                   (h.before + sum(sum(u.readings)) over (order by u.start)
                    - sum(u.readings))::bigint as before
            from (
                select start, readings
                from traffic.reading_counts
                where span_s = 10 and start >= h.start and start < h.start + interval '15 minutes'
                union all
                select start, readings
                from added
                where start >= h.start and start < h.start + interval '15 minutes'
            ) u
            group by u.start
        ) s
        where until > w.first
        order by start
        limit 1
    ) s
    -- End of the ten seconds in which the page ends.
    cross join lateral (
        select coalesce((
            select e.start + interval '10 seconds'
            from (
                select start, until - readings as before
                from quarter
                where until >= w.first + w.size
                order by start
                limit 1
            ) q
            cross join lateral (
                select u.start,
                       q.before + sum(sum(u.readings)) over (order by u.start) as until
                from (
                    select start, readings
                    from traffic.reading_counts
                    where span_s = 10 and start >= q.start
                      and start < q.start + interval '15 minutes'
                    union all
                    select start, readings
                    from added
                    where start >= q.start and start < q.start + interval '15 minutes'
                ) u
                group by u.start
            ) e
            where e.until >= w.first + w.size
            order by e.start
            limit 1
        ), %(upper)s::timestamptz) as ends
    ) t
    cross join lateral (
        (
            select r.*
            from (
                select r.sensor_id, r."timestamp"
                from traffic.traffic_readings r
                where (select in_order from ordered)
                  and r."timestamp" >= s.start and r."timestamp" < t.ends
                  and r."timestamp" < %(upper)s
                order by r."timestamp", r.sensor_id
                offset w.first - s.before
                limit 1
            ) k
            cross join lateral (
                select r.sensor_id, r."timestamp",
                       --| measures r.{m},
                       r.quality_score
                from traffic.traffic_readings r
                where r."timestamp" >= k."timestamp"
                  and (r."timestamp", r.sensor_id) >= (k."timestamp", k.sensor_id)
                  and r."timestamp" < t.ends and r."timestamp" < %(upper)s
                order by r."timestamp", r.sensor_id
                limit w.size
            ) r
        )
        union all
        (
            select r.sensor_id, r."timestamp",
                   --| measures r.{m},
                   r.quality_score
            from traffic.traffic_readings r
            where not (select in_order from ordered)
              and r."timestamp" >= s.start and r."timestamp" < t.ends and r."timestamp" < %(upper)s
            order by r."timestamp", r.sensor_id
            offset w.first - s.before
            limit w.size
        )
    ) i
) p
order by w.number
