-- The key of processed_events includes the event's time, so that it alone does not keep an offset
-- unique, and nothing but ingest keeps a message out of both tables.
with outcome as (
    select topic_no, partition, "offset", 'processed_events' as place from traffic.processed_events
    union all
    select topic_no, partition, "offset", 'quarantined_events' from traffic.quarantined_events
    where resolved_at is null
)
select min(place) as table_name,
       json_build_object('topic_no', topic_no, 'partition', partition, 'offset', "offset") as key,
       'one row in processed_events or quarantined_events' as expected,
       format('%%s: %%s', count(*), string_agg(place, ' and ' order by place)) as found
from outcome
group by topic_no, partition, "offset"
having count(*) > 1
order by topic_no, partition, "offset"
limit %(limit)s
