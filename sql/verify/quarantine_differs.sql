-- Quarantine repeats the message and its arrival, so that people see them without raw. Rows whose offset
-- raw lacks are not named here, because raw_missing names them.
with odd as materialized (
    select q.topic_no, q.partition, q."offset", q.event_no, r."offset" is null as elsewhere,
           q.key is distinct from r.key as other_key,
           q.value is distinct from r.value as other_value,
           q.broker_timestamp is distinct from r.broker_timestamp as other_time,
           q.order_time is distinct from r.order_time as other_order
    from traffic.quarantined_events q
    left join traffic.raw_events r
      on r.topic_no = q.topic_no and r.partition = q.partition and r."offset" = q."offset"
     and r.ingested_at = q.quarantined_at
    where r."offset" is null or q.key is distinct from r.key or q.value is distinct from r.value
       or q.broker_timestamp is distinct from r.broker_timestamp
       or q.order_time is distinct from r.order_time
)
select 'quarantined_events' as table_name,
       json_build_object('topic_no', topic_no, 'partition', partition, 'offset', "offset",
                         'event_no', event_no) as key,
       case when elsewhere then 'quarantined_at when its message in raw_events arrived'
            else format('the %%s of its message in raw_events', concat_ws(' and ',
                case when other_key then 'key' end, case when other_value then 'value' end,
                case when other_time then 'broker_timestamp' end,
                case when other_order then 'order_time' end)) end as expected,
       'another' as found
from odd
where not elsewhere or exists (
    select from traffic.raw_events r
    where r.topic_no = odd.topic_no and r.partition = odd.partition and r."offset" = odd."offset"
)
order by topic_no, partition, "offset", event_no
limit %(limit)s
