update traffic.micro_batches b
set dropped_raw = b.dropped_raw + d.rows
from (
    select topic_no, partition, audit_id, sum(rows) as rows
    from pg_temp.dropping
    group by topic_no, partition, audit_id
) d
where b.batch_id = d.audit_id and b.topic_no = d.topic_no and b.partition = d.partition
