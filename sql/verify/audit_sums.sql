-- The figures of each audit row must add up.
select 'micro_batches' as table_name,
       json_build_object('batch_id', b.batch_id, 'topic_no', b.topic_no,
                         'partition', b.partition) as key,
       format('%%s %%s', rule.name, rule.due) as expected,
       format('%%s', rule.stands) as found
from traffic.micro_batches b
cross join lateral (
    select coalesce(sum((value ->> 'raw')::bigint), 0) as raw,
           coalesce(sum((value ->> 'processed')::bigint), 0) as processed,
           coalesce(sum((value ->> 'quarantined')::bigint), 0) as quarantined,
           count(*) filter (
               where (value ->> 'raw')::bigint
                     <> (value ->> 'processed')::bigint + (value ->> 'quarantined')::bigint
           ) as uneven
    from jsonb_each(b.date_counts)
) dates
cross join lateral (values
    ('delivered = raw + echoes =', b.raw + b.echoes, b.delivered),
    ('delivered of at most', least(b.delivered, b.next_offset - b.first_offset), b.delivered),
    ('raw = processed + quarantined =', b.processed + b.quarantined, b.raw),
    ('processed = inserted + updated + unchanged + superseded =',
     b.inserted + b.updated + b.unchanged + b.superseded, b.processed),
    ('raw, the sum of date_counts,', dates.raw, b.raw),
    ('processed, the sum of date_counts,', dates.processed, b.processed),
    ('quarantined, the sum of date_counts,', dates.quarantined, b.quarantined),
    ('dates with raw <> processed + quarantined:', 0, dates.uneven)
) rule (name, due, stands)
where rule.due <> rule.stands
union all
select 'micro_batches',
       json_build_object('batch_id', b.batch_id, 'topic_no', b.topic_no,
                         'partition', b.partition),
       format('event_dates %%s, the dates of date_counts', dates.days),
       format('%%s', b.event_dates)
from traffic.micro_batches b
cross join lateral (
    select coalesce(array_agg(key::date order by key::date), '{}') as days
    from jsonb_each(b.date_counts)
) dates
where b.event_dates <> dates.days
limit %(limit)s
