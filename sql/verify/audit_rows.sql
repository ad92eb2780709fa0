-- Each audit row against the rows that carry its batch_id, or of a folded row one of its batches', and
-- these against their audit row. What retention dropped was written down with the audit row.
with raw_batches as materialized (
    select batch_id, topic_no, partition, count(*) as rows, min("offset") as low,
           max("offset") as high, min(ingested_at) as first_arrival, max(ingested_at) as last_arrival
    from traffic.raw_events
    group by batch_id, topic_no, partition
), processed_batches as materialized (
    select batch_id, topic_no, partition, ("timestamp" at time zone %(timezone)s)::date as day,
           count(*) as rows
    from traffic.processed_events
    group by 1, 2, 3, 4
), quarantined_batches as materialized (
    select batch_id, topic_no, partition, event_date as day, count(*) as rows
    from traffic.quarantined_events
    group by 1, 2, 3, 4
), number as (
    select batch_id, topic_no, partition from raw_batches
    union
    select batch_id, topic_no, partition from processed_batches
    union
    select batch_id, topic_no, partition from quarantined_batches
), audit_of as materialized (
    -- The audit row of a number: its own, or the folded one that it lies in.
    select n.*, coalesce(b.batch_id, f.batch_id, n.batch_id) as audit_id
    from number n
    left join traffic.micro_batches b using (batch_id, topic_no, partition)
    left join lateral (
        select before.batch_id, before.last_batch_id
        from traffic.micro_batches before
        where b.batch_id is null and before.topic_no = n.topic_no
          and before.partition = n.partition and before.batch_id < n.batch_id
        order by before.batch_id desc
        limit 1
    ) f on f.last_batch_id >= n.batch_id
), raw as (
    select a.audit_id as batch_id, topic_no, partition, sum(r.rows)::bigint as rows,
           min(r.low) as low, max(r.high) as high
    from raw_batches r join audit_of a using (batch_id, topic_no, partition)
    group by a.audit_id, topic_no, partition
), processed_days as (
    select a.audit_id, topic_no, partition, p.day, sum(p.rows)::bigint as rows
    from processed_batches p join audit_of a using (batch_id, topic_no, partition)
    group by a.audit_id, topic_no, partition, p.day
), processed as (
    select audit_id as batch_id, topic_no, partition, sum(rows)::bigint as rows,
           jsonb_object_agg(day, rows) as days
    from processed_days
    group by audit_id, topic_no, partition
), quarantined_days as (
    select a.audit_id, topic_no, partition, q.day, sum(q.rows)::bigint as rows
    from quarantined_batches q join audit_of a using (batch_id, topic_no, partition)
    group by a.audit_id, topic_no, partition, q.day
), quarantined as (
    select audit_id as batch_id, topic_no, partition, sum(rows)::bigint as rows,
           jsonb_object_agg(day, rows) as days
    from quarantined_days
    group by audit_id, topic_no, partition
), joined as (
    select batch_id, topic_no, partition, b.first_offset is not null as audited,
           b.raw, b.processed, b.first_offset, b.next_offset, b.dropped_raw,
           coalesce((
               select sum(value::bigint) from jsonb_each_text(b.dropped_processed)
           ), 0)::bigint as dropped_processed,
           -- What a replay takes out of quarantine stays there as resolved, under its own batch.
           case when b.kind = 'replay' then 0 else b.quarantined end as quarantined,
           coalesce((
               select jsonb_object_agg(key, due.rows)
               from jsonb_each(b.date_counts)
               cross join lateral (
                   select (value ->> 'processed')::bigint
                          - coalesce((b.dropped_processed ->> key)::bigint, 0) as rows
               ) due
               where due.rows <> 0
           ), '{}') as days,
           coalesce((
               select jsonb_object_agg(key, (value ->> 'quarantined')::bigint)
               from jsonb_each(b.date_counts)
               where (value ->> 'quarantined')::bigint <> 0 and b.kind <> 'replay'
           ), '{}') as dates_of_quarantine,
           r.rows as raw_rows, r.low, r.high,
           p.rows as processed_rows, coalesce(p.days, '{}') as processed_days,
           q.rows as quarantined_rows, coalesce(q.days, '{}') as quarantined_days
    from traffic.micro_batches b
    full join raw r using (batch_id, topic_no, partition)
    full join processed p using (batch_id, topic_no, partition)
    full join quarantined q using (batch_id, topic_no, partition)
)
select 'micro_batches' as table_name,
       json_build_object('batch_id', j.batch_id, 'topic_no', j.topic_no,
                         'partition', j.partition) as key,
       rule.due as expected, rule.stands as found
from joined j
cross join lateral (values
    (not audited, format('an audit row, since rows of offsets %%s to %%s carry its batch_id', low, high),
     'none'),
    (audited and raw <> coalesce(raw_rows, 0) + dropped_raw,
     format('raw %%s, the rows in raw_events and %%s dropped', coalesce(raw_rows, 0) + dropped_raw,
            dropped_raw), raw::text),
    (audited and processed <> coalesce(processed_rows, 0) + dropped_processed,
     format('processed %%s, the rows in processed_events and %%s dropped',
            coalesce(processed_rows, 0) + dropped_processed, dropped_processed), processed::text),
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
from raw_batches j
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
