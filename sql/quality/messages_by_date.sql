-- Messages by the date that they count at, and those of them in quarantine, from the audit.
select d.key::date as day, sum((d.value ->> 'raw')::bigint)::bigint as messages,
       sum((d.value ->> 'quarantined')::bigint)::bigint as quarantined
from traffic.micro_batches b
cross join lateral jsonb_each(b.date_counts) d
where b.event_dates && %(days)s::date[] and d.key = any(%(names)s::text[])
group by 1
