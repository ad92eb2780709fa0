-- Events in [begin, end), the date `day`, whose sensor has no reading at their time: their number and the
-- first of them. The batches with events of the date lead to them, because events have no index by time and
-- their partition holds a month.
with audited as (
    select batch_id, last_batch_id, kind
    from traffic.micro_batches
    where event_dates @> array[%(day)s::date]
), span as (
    select batch_id as first, coalesce(last_batch_id, batch_id) as last
    from audited
    union all
    -- A backfill may move an event to the date. It stays with its batch, which did not know the date.
    select r.was_batch_id, r.was_batch_id
    from audited a
    join traffic.rebuilt_events r using (batch_id)
    where a.kind = 'backfill' and r.event_date = %(day)s
), stretch as (
    -- Merge numbers that are consecutive or overlap.
    select min(first) as first, max(last) as last
    from (
        select first, last, count(*) filter (where first > reached + 1) over (order by first, last)
                   as number
        from (
            select first, last,
                   max(last) over (
                       order by first, last rows between unbounded preceding and 1 preceding
                   ) as reached
            from span
        ) ordered
    ) numbered
    group by number
)
select count(*) over () as missing, coalesce(s.external_id, e.sensor_id::text) as sensor,
       e."timestamp", e.topic_no, e.partition, e."offset", e.event_no
from (
    select distinct on (p.sensor_id, p."timestamp") p.*
    from stretch
    cross join lateral (
        select p.sensor_id, p."timestamp", p.topic_no, p.partition, p."offset", p.event_no
        from traffic.processed_events p
        where p.batch_id between stretch.first and stretch.last
          and p."timestamp" >= %(begin)s and p."timestamp" < %(end)s
        -- A fence: the planner does not know how few batches there are, and would read the month.
        offset 0
    ) p
    where not exists (
        select from traffic.traffic_readings r
        where r.sensor_id = p.sensor_id and r."timestamp" = p."timestamp"
          and r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
    )
    order by p.sensor_id, p."timestamp"
) e
left join traffic.sensors s using (sensor_id)
order by e."timestamp", sensor
limit %(sample)s
