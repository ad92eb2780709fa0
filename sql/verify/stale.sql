-- Messages that other rules than today's decided, so that today's outcome may differ. The rules of a
-- reprocessing decided the events that it stored and the messages that it rejected for another reason.
with decided as (
    select rules_version, batch_id, coalesce(last_batch_id, batch_id) as last_batch_id, batches,
           case kind when 'ingest' then raw when 'reprocess' then processed else 0 end as messages
    from traffic.micro_batches
    union all
    select b.rules_version, b.batch_id, b.batch_id, 0, -1
    from traffic.rebuilt_events r
    cross join lateral (
        select *
        from traffic.micro_batches b
        where b.topic_no = r.topic_no and b.partition = r.partition and b.batch_id <= r.was_batch_id
        order by b.batch_id desc
        limit 1
    ) b
    where r.was = 'processed'
    union all
    select b.rules_version, r.batch_id, r.batch_id, 0, 1
    from traffic.rebuilt_events r
    join traffic.micro_batches b using (batch_id, topic_no, partition)
    where r.becomes = 'processed'
    union all
    select b.rules_version, b.batch_id, b.batch_id, 0, -1
    from traffic.quarantined_events q
    cross join lateral (
        -- Its own audit row, or the compacted one that includes its batch.
        select *
        from traffic.micro_batches b
        where b.topic_no = q.topic_no and b.partition = q.partition and b.batch_id <= q.batch_id
        order by b.batch_id desc
        limit 1
    ) b
    where q.resolved_at is not null or q.rules_version is not null
    union all
    select rules_version, batch_id, batch_id, 0, 1
    from traffic.quarantined_events
    where resolved_at is null and rules_version is not null
), by_batch as (
    select rules_version, batch_id, max(last_batch_id) as last_batch_id,
           greatest(1, max(batches)) as batches, sum(messages)::bigint as messages
    from decided
    where rules_version <> %(rules_version)s
    group by rules_version, batch_id
)
select rules_version, sum(batches)::bigint, sum(messages)::bigint, min(batch_id), max(last_batch_id)
from by_batch
where messages > 0
group by rules_version
order by min(batch_id)
