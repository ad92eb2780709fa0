-- Dates add up, because late data can create a month again that is dropped a second time.
update traffic.micro_batches b
set dropped_processed = (
        select jsonb_object_agg(day, rows)
        from (
            select day, sum(rows)::bigint as rows
            from (
                select key as day, value::bigint as rows
                from jsonb_each_text(b.dropped_processed)
                union all
                select key, value::bigint from jsonb_each_text(d.days)
            ) dates
            group by day
        ) summed
    )
from (
    select topic_no, partition, audit_id, jsonb_object_agg(day, rows) as days
    from pg_temp.dropping
    group by topic_no, partition, audit_id
) d
where b.batch_id = d.audit_id and b.topic_no = d.topic_no and b.partition = d.partition
