-- All of a local day, of every sensor: what there are readings of, and what there are rows of. Bounds
-- are those of 5-minute buckets, wherever the zone's midnight lies. Returns how many buckets it is.
with bound as (
    select min(n.bucket) as first, max(n.bucket) + interval '5 minutes' as until
    from traffic.platform p
    cross join lateral generate_series(
        (%(date)s::date::timestamp at time zone p.timezone) - interval '3 hours',
        ((%(date)s::date + 1)::timestamp at time zone p.timezone) + interval '3 hours',
        interval '5 minutes'
    ) n (bucket)
    where (n.bucket at time zone p.timezone)::date = %(date)s::date
),
ranges as (
    insert into pg_temp.dirty_ranges (sensor_id, first, until)
    select s.sensor_id, b.first, b.until
    from bound b
    cross join traffic.sensors s
    where b.first is not null
    returning first, until
)
select coalesce(sum(date_part('epoch', until - first) / 300), 0)::bigint from ranges
