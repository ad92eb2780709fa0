-- Takes the oldest rows of dirty buckets, each row as a whole, and turns the buckets into ranges. The queue
-- grows from nothing within seconds, so no part may depend on its statistics: it is read without a join.
-- Rolled-up rows of a month whose readings were dropped stay unchanged, since late readings are not all
-- of a bucket. Returns the number of buckets.
with taken as (
    delete from traffic.dirty_buckets d
    where d.dirty_no <= (
        select max(q.dirty_no)
        from (
            -- Each row has one pair or more.
            select o.dirty_no, sum(o.pairs) over (order by o.dirty_no) - o.pairs as before
            from traffic.dirty_buckets o
            order by o.dirty_no
            limit %(most_pairs)s
        ) q
        where q.before < %(most_pairs)s
    )
    returning d.sensor_ids, d.buckets
),
pair as (
    select distinct n.sensor_id,
           to_timestamp(floor(date_part('epoch', n.bucket) / 300) * 300) as bucket
    from taken t
    cross join lateral unnest(t.sensor_ids, t.buckets) n (sensor_id, bucket)
    where
--| parts/not_dropped
),
run as (
    select sensor_id, bucket,
           bucket - row_number() over (partition by sensor_id order by bucket) * interval '5 minutes'
               as number
    from pair
),
ranges as (
    insert into pg_temp.dirty_ranges (sensor_id, first, until)
    select sensor_id, min(bucket), max(bucket) + interval '5 minutes'
    from run
    group by sensor_id, number
    returning first, until
)
select coalesce(sum(date_part('epoch', until - first) / 300), 0)::bigint from ranges
