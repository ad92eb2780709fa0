-- A recreated topic has several numbers; its newest generation comes first.
select t.name as topic, q.topic_no, t.kafka_topic_id, q.partition, q."offset", q.reason, q.detail,
       q.key, q.value, r.headers, q.broker_timestamp, r.ingested_at, q.quarantined_at, q.batch_id,
       coalesce(b.run_id, array_to_string(b.run_ids, ' or ')) as run_id,
       coalesce(q.rules_version, b.rules_version) as rules_version, q.resolved_at,
       q.resolution
from traffic.quarantined_events q
join traffic.topics t using (topic_no)
left join traffic.raw_events r
    on r.topic_no = q.topic_no and r.partition = q.partition and r."offset" = q."offset"
    and r.batch_id = q.batch_id
--| parts/audit_row
where t.name = %(topic)s and q.partition = %(partition)s and q."offset" = %(offset)s
order by q.topic_no desc, q.event_no
