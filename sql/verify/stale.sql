-- Messages that other rules than today's decided: decoding them again may differ. A message that a
-- replay let in, or left in quarantine for another reason, was decided by the replay's rules.
with decided as (
    select rules_version, batch_id, case kind when 'window' then raw when 'replay' then processed
                                               else 0 end as messages
    from traffic.micro_batches
    union all
    select b.rules_version, r.was_batch_id, -1
    from traffic.rebuilt_events r
    join traffic.micro_batches b
        on b.batch_id = r.was_batch_id and b.topic_no = r.topic_no and b.partition = r.partition
    where r.was = 'processed'
    union all
    select b.rules_version, r.batch_id, 1
    from traffic.rebuilt_events r
    join traffic.micro_batches b using (batch_id, topic_no, partition)
    where r.becomes = 'processed'
    union all
    select b.rules_version, q.batch_id, -1
    from traffic.quarantined_events q
    join traffic.micro_batches b using (batch_id, topic_no, partition)
    where q.resolved_at is not null or q.rules_version is not null
    union all
    select rules_version, batch_id, 1
    from traffic.quarantined_events
    where resolved_at is null and rules_version is not null
), by_batch as (
    select rules_version, batch_id, sum(messages)::bigint as messages
    from decided
    where rules_version <> %(rules_version)s
    group by rules_version, batch_id
)
select rules_version, count(*), sum(messages)::bigint, min(batch_id), max(batch_id)
from by_batch
where messages > 0
group by rules_version
order by min(batch_id)
