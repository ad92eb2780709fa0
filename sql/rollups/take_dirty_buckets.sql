-- Takes the oldest rows of dirty buckets, each row as a whole, and turns the buckets into ranges. A stream marks
-- a bucket with each of its batches, so buckets are counted once. The queue grows from nothing within
-- seconds, so no part may depend on its statistics: it is read without a join.
-- Rolled-up rows of a month whose readings were dropped stay unchanged, since late readings are not all
-- of a bucket. Returns the number of buckets.
with queued as (
    select q.dirty_no, q.sensor_ids, q.buckets
    from (
        -- Each row has one pair or more.
        select d.*, sum(d.pairs) over (order by d.dirty_no) - d.pairs as before
        from traffic.dirty_buckets d
        order by d.dirty_no
        limit %(most_queued)s
    ) q
    where q.before < %(most_queued)s
),
pair as materialized (
    select n.sensor_id, to_timestamp(floor(date_part('epoch', n.bucket) / 300) * 300) as bucket,
           min(q.dirty_no) as dirty_no
    from queued q
    cross join lateral unnest(q.sensor_ids, q.buckets) n (sensor_id, bucket)
    group by 1, 2
),
upto as materialized (
    -- The first row that is not taken.
    select coalesce(min(dirty_no) filter (where before >= %(most_buckets)s),
                    (select max(dirty_no) + 1 from queued)) as dirty_no
    from (
        select dirty_no, sum(count(*)) over (order by dirty_no) - count(*) as before
        from pair
        group by dirty_no
    ) counted
),
taken as (
    delete from traffic.dirty_buckets where dirty_no < (select dirty_no from upto)
),
run as (
    select sensor_id, bucket,
           bucket - row_number() over (partition by sensor_id order by bucket) * interval '5 minutes'
               as number
    from pair n
    where n.dirty_no < (select dirty_no from upto) and
--| parts/not_dropped
),
ranges as (
    insert into pg_temp.dirty_ranges (sensor_id, first, until)
    select sensor_id, min(bucket), max(bucket) + interval '5 minutes'
    from run
    group by sensor_id, number
    returning first, until
)
select coalesce(sum(date_part('epoch', until - first) / 300), 0)::bigint from ranges
