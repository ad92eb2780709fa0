-- Flags and scores of the readings of a date. If there are more than `most`, the statement samples about
-- that many: the readings of every n-th ten seconds of the day.
with span as materialized (
    select u.start, sum(u.readings) as readings
    from (
        select c.start, c.readings
        from traffic.reading_counts c
        where c.span_s = 10 and c.start >= %(lower)s and c.start < %(upper)s
        union all
        select c.start, c.added
        from traffic.reading_changes c
        where c.start >= %(lower)s and c.start < %(upper)s
    ) u
    group by u.start
    having sum(u.readings) > 0
),
total as (
    select coalesce(sum(readings), 0) as readings,
           greatest(1, ceil(coalesce(sum(readings), 0) / %(most)s))::bigint as every
    from span
),
chosen as (
    select n.start
    from (select start, row_number() over (order by start) as number from span) n
    cross join total t
    where n.number %% t.every = 0
),
sampled as materialized (
    select r.quality_flags, r.quality_score
    from chosen c
    cross join lateral (
        select r.quality_flags, r.quality_score
        from traffic.traffic_readings r
        where r."timestamp" >= c.start and r."timestamp" < c.start + interval '10 seconds'
          and r."timestamp" >= %(lower)s and r."timestamp" < %(upper)s
        offset 0
    ) r
),
by_flags as (
    select quality_flags, count(*) as readings from sampled group by quality_flags
)
-- `failed` has a number for each of `bits`, in their order.
select (select readings from total)::bigint as readings, count(*)::bigint as looked_at,
       avg(quality_score) as mean_score, min(quality_score) as min_score,
       array(
           select coalesce(sum(f.readings) filter (where f.quality_flags & b.bit <> 0), 0)::bigint
           from unnest(%(bits)s::smallint[]) with ordinality b (bit, number)
           left join by_flags f on true
           group by b.number
           order by b.number
       ) as failed
from sampled
