-- No constraint prevents double outcomes: the key of processed_events includes the event's time, and
-- only ingest takes care that an event is in one of the two tables.
with outcome as (
    select topic_no, partition, "offset", event_no, 'processed_events' as place
    from traffic.processed_events
    union all
    select topic_no, partition, "offset", event_no, 'quarantined_events'
    from traffic.quarantined_events
    where resolved_at is null
)
select min(place) as table_name,
       json_build_object('topic_no', topic_no, 'partition', partition, 'offset', "offset",
                         'event_no', event_no) as key,
       'one row in processed_events or quarantined_events' as expected,
       format('%%s: %%s', count(*), string_agg(place, ' and ' order by place)) as found
from outcome
group by topic_no, partition, "offset", event_no
having count(*) > 1
order by topic_no, partition, "offset", event_no
limit %(limit)s
