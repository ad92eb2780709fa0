-- Compare each audit row with the rows of its batch, and these rows with their audit row. A compacted
-- audit row has several batches. It also records the rows that retention dropped.
with raw_batches as materialized (
    select batch_id, topic_no, partition, count(*) as rows, min("offset") as low,
           max("offset") as high, min(ingested_at) as first_arrival, max(ingested_at) as last_arrival,
           max(
--| parts/order_time
           ) as order_time
    from traffic.raw_events r
    group by batch_id, topic_no, partition
), counted as (
    select batch_id, topic_no, partition, 'raw' as place, null::date as day, rows, low, high, order_time
    from raw_batches
    union all
    select batch_id, topic_no, partition, 'processed',
           ("timestamp" at time zone %(timezone)s)::date as day, count(*), null, null, null
    from traffic.processed_events
    group by batch_id, topic_no, partition, 5
    union all
    select batch_id, topic_no, partition, 'quarantined', event_date, count(*), null, null, null
    from traffic.quarantined_events
    group by batch_id, topic_no, partition, event_date
    -- Undo backfills: add the events that they removed, and take away those that they added. A changed
    -- event stays with its batch. An event from quarantine has the batch of the backfill.
    union all
    select was_batch_id, topic_no, partition, 'processed', was_date, 1, null, null, null
    from traffic.rebuilt_events
    where was = 'processed'
    union all
    select case when was = 'processed' then was_batch_id else batch_id end, topic_no, partition,
           'processed', event_date, -1, null, null, null
    from traffic.rebuilt_events
    where becomes = 'processed'
), owned as (
    select coalesce(b.batch_id, c.batch_id) as batch_id, c.topic_no, c.partition, c.place, c.day,
           sum(c.rows)::bigint as rows, min(c.low) as low, max(c.high) as high,
           max(c.order_time) as order_time
    from counted c
    left join lateral (
        select before.batch_id, before.last_batch_id
        from traffic.micro_batches before
        -- Above folded_to, each batch has its own audit row.
        where c.batch_id <= %(folded_to)s
          and before.topic_no = c.topic_no and before.partition = c.partition
          and before.batch_id <= c.batch_id
        order by before.batch_id desc
        limit 1
    ) b on b.last_batch_id >= c.batch_id
    group by 1, c.topic_no, c.partition, c.place, c.day
), stored as (
    select batch_id, topic_no, partition, min(low) as low, max(high) as high,
           max(order_time) as order_time,
           coalesce(sum(rows) filter (where place = 'raw'), 0)::bigint as raw_rows,
           coalesce(sum(rows) filter (where place = 'processed'), 0)::bigint as processed_rows,
           coalesce(sum(rows) filter (where place = 'quarantined'), 0)::bigint as quarantined_rows,
           coalesce(jsonb_object_agg(day, rows) filter (where place = 'processed' and rows <> 0), '{}')
               as processed_days,
           coalesce(jsonb_object_agg(day, rows) filter (where place = 'quarantined'), '{}')
               as quarantined_days
    from owned
    group by batch_id, topic_no, partition
), chain as (
    -- The order times of a batch end where those of the next batch, or of the ledger, go on.
    select b.batch_id, b.topic_no, b.partition, b.order_floor,
           coalesce(lead(b.order_floor) over (
               partition by b.topic_no, b.partition
               order by b.first_offset, b.next_offset, b.batch_id
           ), o.order_time) as order_time
    from traffic.micro_batches b
    join traffic.kafka_offsets o using (topic_no, partition)
    where b.kind = 'ingest'
), joined as materialized (
    -- Not inlined, because each rule would compute the figures again.
    select batch_id, topic_no, partition, b.first_offset is not null as audited,
           b.raw, case when b.kind = 'backfill' then 0 else b.processed end as processed,
           b.first_offset, b.next_offset, b.dropped_raw,
           case when b.dropped_processed = '{}' then 0 else (
               select sum(value::bigint) from jsonb_each_text(b.dropped_processed)
           )::bigint end as dropped_processed,
           -- A reprocessed message stays in quarantine as resolved, with its own batch. The records
           -- of a backfill prove the messages that it put there.
           case b.kind when 'ingest' then b.quarantined when 'reprocess' then 0
                       else coalesce(s.quarantined_rows, 0) end as quarantined,
           coalesce((
               select jsonb_object_agg(key, due.rows)
               from (
                   select key, sum(part.rows)::bigint as rows
                   from (
                       select key, case when b.kind = 'backfill' then 0
                                        else (value ->> 'processed')::bigint end as rows
                       from jsonb_each(b.date_counts)
                       union all
                       select key, -value::bigint from jsonb_each_text(b.dropped_processed)
                   ) part
                   group by key
               ) due
               where due.rows <> 0
           ), '{}') as days,
           case when b.kind = 'backfill' then coalesce(s.quarantined_days, '{}') else coalesce((
               select jsonb_object_agg(key, (value ->> 'quarantined')::bigint)
               from jsonb_each(b.date_counts)
               where (value ->> 'quarantined')::bigint <> 0 and b.kind <> 'reprocess'
           ), '{}') end as dates_of_quarantine,
           c.order_time, greatest(c.order_floor, s.order_time) as order_reached,
           c.order_floor is not null and b.dropped_raw = 0 as ordered,
           s.low, s.high, coalesce(s.raw_rows, 0) as raw_rows,
           coalesce(s.processed_rows, 0) as processed_rows,
           coalesce(s.processed_days, '{}') as processed_days,
           coalesce(s.quarantined_rows, 0) as quarantined_rows,
           coalesce(s.quarantined_days, '{}') as quarantined_days
    from traffic.micro_batches b
    full join stored s using (batch_id, topic_no, partition)
    left join chain c using (batch_id, topic_no, partition)
)
select 'micro_batches' as table_name,
       json_build_object('batch_id', j.batch_id, 'topic_no', j.topic_no,
                         'partition', j.partition) as key,
       rule.due as expected, rule.stands as found
from joined j
cross join lateral (values
    (not audited, format('an audit row, since rows of offsets %%s to %%s carry its batch_id', low, high),
     'none'),
    (audited and raw <> raw_rows + dropped_raw,
     format('raw %%s, the rows in raw_events and %%s dropped', raw_rows + dropped_raw, dropped_raw),
     raw::text),
    (audited and processed <> processed_rows + dropped_processed,
     format('processed %%s, the rows in processed_events and %%s dropped',
            processed_rows + dropped_processed, dropped_processed), processed::text),
    (audited and quarantined <> quarantined_rows,
     format('quarantined %%s, the rows in quarantined_events', quarantined_rows),
     quarantined::text),
    (audited and days <> processed_days,
     format('processed by date %%s, the rows in processed_events', processed_days), days::text),
    (audited and dates_of_quarantine <> quarantined_days,
     format('quarantined by date %%s, the rows in quarantined_events', quarantined_days),
     dates_of_quarantine::text),
    (audited and not (low >= first_offset and high < next_offset),
     format('a range that holds offsets %%s to %%s, the rows in raw_events', low, high),
     format('first_offset %%s, next_offset %%s', first_offset, next_offset)),
    (ordered and order_reached <> order_time,
     format('order times up to %%s, where the next audit row or the ledger begins', order_time),
     format('order times up to %%s', order_reached))
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
