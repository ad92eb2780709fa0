-- Quarantine repeats the message and its arrival, so that a person sees them without raw.
select 'quarantined_events' as table_name,
       json_build_object('topic_no', q.topic_no, 'partition', q.partition, 'offset', q."offset")
           as key,
       format('the %%s of raw_events', concat_ws(' and ',
           case when q.key is distinct from r.key then 'key' end,
           case when q.value is distinct from r.value then 'value' end,
           case when q.broker_timestamp is distinct from r.broker_timestamp
                then 'broker_timestamp' end,
           case when q.quarantined_at <> r.ingested_at then 'ingested_at as quarantined_at' end))
           as expected,
       'another' as found
from traffic.quarantined_events q
join traffic.raw_events r using (topic_no, partition, "offset")
where q.key is distinct from r.key or q.value is distinct from r.value
   or q.broker_timestamp is distinct from r.broker_timestamp or q.quarantined_at <> r.ingested_at
order by q.topic_no, q.partition, q."offset"
limit %(limit)s
