-- A local day of every sensor with readings or rolled-up rows. Bounds are those of 5-minute buckets,
-- wherever the zone's midnight lies. Rows of a month whose readings were dropped stay unchanged. Returns
-- the number of buckets.
with day as (
    select n.bucket
    from traffic.platform p
    cross join lateral generate_series(
        (%(date)s::date::timestamp at time zone p.timezone) - interval '3 hours',
        ((%(date)s::date + 1)::timestamp at time zone p.timezone) + interval '3 hours',
        interval '5 minutes'
    ) n (bucket)
    where (n.bucket at time zone p.timezone)::date = %(date)s::date
      and
--| parts/not_dropped
),
bound as (
    select min(bucket) as first, max(bucket) + interval '5 minutes' as until
    from (
        select bucket, bucket - row_number() over (order by bucket) * interval '5 minutes' as number
        from day
    ) run
    group by number
),
ranges as (
    insert into pg_temp.dirty_ranges (sensor_id, first, until)
    select s.sensor_id, b.first, b.until
    from bound b
    cross join traffic.sensors s
    returning first, until
)
select coalesce(sum(date_part('epoch', until - first) / 300), 0)::bigint from ranges
