-- Each audit row against the rows that carry its batch_id, and these against their audit row.
with raw as (
    select batch_id, topic_no, partition, count(*) as rows, min("offset") as low,
           max("offset") as high, min(ingested_at) as first_arrival, max(ingested_at) as last_arrival
    from traffic.raw_events
    group by batch_id, topic_no, partition
), processed_days as (
    select batch_id, topic_no, partition, ("timestamp" at time zone %(timezone)s)::date as day,
           count(*) as rows
    from traffic.processed_events
    group by 1, 2, 3, 4
), processed as (
    select batch_id, topic_no, partition, sum(rows)::bigint as rows,
           jsonb_object_agg(day, rows) as days
    from processed_days
    group by batch_id, topic_no, partition
), quarantined_days as (
    select batch_id, topic_no, partition, event_date as day, count(*) as rows
    from traffic.quarantined_events
    group by 1, 2, 3, 4
), quarantined as (
    select batch_id, topic_no, partition, sum(rows)::bigint as rows,
           jsonb_object_agg(day, rows) as days
    from quarantined_days
    group by batch_id, topic_no, partition
), corrected as (
    -- What rebuilds took from the events of a batch, and gave to them. An event that only changed
    -- stays with its batch; one that entered belongs to the rebuild's.
    select was_batch_id as batch_id, topic_no, partition, was_date as day, -1 as number
    from traffic.rebuilt_events
    where was = 'processed'
    union all
    select case when was = 'processed' then was_batch_id else batch_id end, topic_no, partition,
           event_date, 1
    from traffic.rebuilt_events
    where becomes = 'processed'
), counted as (
    select batch_id, topic_no, partition, sum(number)::bigint as processed,
           jsonb_object_agg(day, number) filter (where number <> 0) as days
    from (
        select batch_id, topic_no, partition, day, sum(number)::bigint as number
        from (
            select * from corrected
            union all
            select b.batch_id, b.topic_no, b.partition, d.key::date,
                   (d.value ->> 'processed')::bigint
            from traffic.micro_batches b
            cross join lateral jsonb_each(b.date_counts) d
            where b.kind <> 'rebuild'
        ) part
        group by batch_id, topic_no, partition, day
    ) due
    group by batch_id, topic_no, partition
), joined as (
    select batch_id, topic_no, partition, b.first_offset is not null as audited,
           b.raw, coalesce(c.processed, 0) as processed, b.first_offset, b.next_offset,
           -- What a replay takes out of quarantine stays there as resolved, under its own batch;
           -- what a rebuild puts there is proved by its records.
           case b.kind when 'window' then b.quarantined when 'replay' then 0
                       else coalesce(q.rows, 0) end as quarantined,
           coalesce(c.days, '{}') as days,
           case b.kind when 'window' then coalesce((
               select jsonb_object_agg(key, (value ->> 'quarantined')::bigint)
               from jsonb_each(b.date_counts)
               where (value ->> 'quarantined')::bigint <> 0
           ), '{}') when 'replay' then '{}' else coalesce(q.days, '{}') end as dates_of_quarantine,
           r.rows as raw_rows, r.low, r.high, r.first_arrival, r.last_arrival,
           p.rows as processed_rows, coalesce(p.days, '{}') as processed_days,
           q.rows as quarantined_rows, coalesce(q.days, '{}') as quarantined_days
    from traffic.micro_batches b
    full join raw r using (batch_id, topic_no, partition)
    full join processed p using (batch_id, topic_no, partition)
    full join quarantined q using (batch_id, topic_no, partition)
    left join counted c using (batch_id, topic_no, partition)
)
select 'micro_batches' as table_name,
       json_build_object('batch_id', j.batch_id, 'topic_no', j.topic_no,
                         'partition', j.partition) as key,
       rule.due as expected, rule.stands as found
from joined j
cross join lateral (values
    (not audited, format('an audit row, since rows of offsets %%s to %%s carry its batch_id', low, high),
     'none'),
    (audited and raw <> coalesce(raw_rows, 0),
     format('raw %%s, the rows in raw_events', coalesce(raw_rows, 0)), raw::text),
    (audited and processed <> coalesce(processed_rows, 0),
     format('processed %%s, the rows in processed_events', coalesce(processed_rows, 0)),
     processed::text),
    (audited and quarantined <> coalesce(quarantined_rows, 0),
     format('quarantined %%s, the rows in quarantined_events', coalesce(quarantined_rows, 0)),
     quarantined::text),
    (audited and days <> processed_days,
     format('processed by date %%s, the rows in processed_events', processed_days), days::text),
    (audited and dates_of_quarantine <> quarantined_days,
     format('quarantined by date %%s, the rows in quarantined_events', quarantined_days),
     dates_of_quarantine::text),
    (audited and not (low >= first_offset and high < next_offset),
     format('a range that holds offsets %%s to %%s, the rows in raw_events', low, high),
     format('first_offset %%s, next_offset %%s', first_offset, next_offset))
) rule (broken, due, stands)
where rule.broken
union all
-- All messages of a batch arrived at one time.
select 'raw_events',
       json_build_object('topic_no', j.topic_no, 'partition', j.partition, 'offset', odd."offset"),
       format('ingested_at %%s, as batch %%s has it', usual.arrival, j.batch_id),
       odd.ingested_at::text
from joined j
cross join lateral (
    select mode() within group (order by r.ingested_at) as arrival
    from traffic.raw_events r
    where j.first_arrival <> j.last_arrival
      and r.topic_no = j.topic_no and r.partition = j.partition
      and r."offset" between j.low and j.high and r.batch_id = j.batch_id
) usual
join lateral (
    select r."offset", r.ingested_at
    from traffic.raw_events r
    where j.first_arrival <> j.last_arrival
      and r.topic_no = j.topic_no and r.partition = j.partition
      and r."offset" between j.low and j.high and r.batch_id = j.batch_id
      and r.ingested_at <> usual.arrival
) odd on true
limit %(limit)s
