-- Outcomes whose message raw_events lacks, although retention has not dropped it.
with outcome as (
    select topic_no, partition, "offset", 'processed_events' as place from traffic.processed_events
    union all
    select topic_no, partition, "offset", 'quarantined_events' from traffic.quarantined_events
    where resolved_at is null
)
select 'raw_events' as table_name,
       json_build_object('topic_no', topic_no, 'partition', partition, 'offset', "offset") as key,
       format('the message that the row in %%s came from', place) as expected,
       'none' as found
from outcome o
left join traffic.dropped_logs h using (topic_no, partition)
where (h.raw_to is null or o."offset" >= h.raw_to) and not exists (
    select from traffic.raw_events r
    where r.topic_no = o.topic_no and r.partition = o.partition and r."offset" = o."offset"
)
order by topic_no, partition, "offset"
limit %(limit)s
