-- Raw messages without an outcome, above the offsets of dropped events.
with outcome as (
    select topic_no, partition, "offset" from traffic.processed_events
    union all
    select topic_no, partition, "offset" from traffic.quarantined_events where resolved_at is null
)
select case when q."offset" is null then 'processed_events' else 'quarantined_events' end
           as table_name,
       json_build_object('topic_no', r.topic_no, 'partition', r.partition, 'offset', r."offset")
           as key,
       'a row here or an unresolved one in quarantined_events, since raw_events holds the message'
           as expected,
       case when q."offset" is null then 'none in either'
            else 'only one in quarantine, resolved at ' || q.resolved_at end as found
from traffic.raw_events r
left join traffic.quarantined_events q using (topic_no, partition, "offset")
left join traffic.dropped_logs h using (topic_no, partition)
where (h.processed_to is null or r."offset" >= h.processed_to) and not exists (
    select from outcome o
    where o.topic_no = r.topic_no and o.partition = r.partition and o."offset" = r."offset"
)
order by r.topic_no, r.partition, r."offset"
limit %(limit)s
