-- The batches of a range, and when their messages arrived: as those that are left of each say, else
-- when it was committed.
select b.first_offset, b.batch_id, coalesce(kept.ingested_at, b.committed_at)
from traffic.micro_batches b
left join lateral (
    select r.ingested_at
    from traffic.raw_events r
    where r.batch_id = b.batch_id
    limit 1
) kept on true
where b.topic_no = %(topic_no)s and b.partition = %(partition)s and b.kind = 'window'
  and b.first_offset >= %(first_offset)s and b.first_offset < %(next_offset)s
order by b.first_offset
