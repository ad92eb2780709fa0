-- The numbers of partition generations, offsets and audit rows that the check examines.
select count(*) as partitions, coalesce(sum(o.next_offset - o.start_offset), 0)::bigint as offsets,
       coalesce(sum(newest.rows), 0)::bigint as audit_rows_examined
from traffic.kafka_offsets o
cross join lateral (
    select count(*) as rows from (
        select from traffic.micro_batches b
        where b.topic_no = o.topic_no and b.partition = o.partition and b.kind = 'ingest'
        order by b.first_offset desc limit %(most)s
    ) seen
) newest
