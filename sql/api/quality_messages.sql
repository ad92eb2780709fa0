-- Messages of a date, from the audit.
select coalesce(sum((b.date_counts -> %(name)s ->> 'raw')::bigint), 0)::bigint as messages,
       coalesce(sum((b.date_counts -> %(name)s ->> 'processed')::bigint), 0)::bigint as events,
       coalesce(sum((b.date_counts -> %(name)s ->> 'quarantined')::bigint), 0)::bigint as quarantined
from traffic.micro_batches b
where b.event_dates @> array[%(date)s::date]
