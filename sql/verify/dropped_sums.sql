-- Dropped rows are recorded twice: by partition, and in the audit rows that count them.
with claimed as (
    select topic_no, partition, sum(rows) filter (where table_name = 'raw_events') as raw,
           sum(rows) filter (where table_name = 'processed_events') as processed
    from traffic.dropped_rows
    group by topic_no, partition
), audited as (
    select topic_no, partition, sum(dropped_raw) as raw,
           sum((select sum(value::bigint) from jsonb_each_text(dropped_processed))) as processed
    from traffic.micro_batches
    where dropped_raw <> 0 or dropped_processed <> '{}'
    group by topic_no, partition
)
select 'dropped_rows' as table_name,
       json_build_object('topic_no', topic_no, 'partition', partition) as key,
       format('%%s raw and %%s processed, the sums of the audit rows', coalesce(a.raw, 0),
              coalesce(a.processed, 0)) as expected,
       format('%%s raw and %%s processed', coalesce(c.raw, 0), coalesce(c.processed, 0)) as found
from claimed c
full join audited a using (topic_no, partition)
where coalesce(a.raw, 0) <> coalesce(c.raw, 0)
   or coalesce(a.processed, 0) <> coalesce(c.processed, 0)
order by topic_no, partition
limit %(limit)s
