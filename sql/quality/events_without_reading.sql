-- Events from %(begin)s to before %(end)s, the date %(day)s, whose sensor has no reading at their time:
-- how many, and the first of them. Found by the batches that hold events of the date: no index leads
-- from a time to events, and their partition holds a month.
with audited as (
    select batch_id, last_batch_id, kind
    from traffic.micro_batches
    where event_dates @> array[%(day)s::date]
), span as (
    select batch_id as first, coalesce(last_batch_id, batch_id) as last
    from audited
    union all
    -- A rebuild may move an event to the date: it stays with its batch, which did not know the date.
    select r.was_batch_id, r.was_batch_id
    from audited a
    join traffic.rebuilt_events r using (batch_id)
    where a.kind = 'backfill' and r.event_date = %(day)s
), stretch as (
    -- Numbers that follow each other, or overlap, as one stretch.
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
        -- A fence: else the planner, which cannot know how few batches there are, reads the month.
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
