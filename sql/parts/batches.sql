-- The batches that contain ranges of generations, given by `moved`: topic_no, partition, first, upto.
-- They are found by offset, because numbers are reserved and a higher one may be committed before a
-- lower one. The first audit row may begin before the range, since rows of closed hours are compacted.
-- `offset 0` keeps one index look-up per range: the planner does not know how few batches a range has,
-- and would read them all.
batch as materialized (
    select m.topic_no, m.partition, m.first, m.upto, b.batch_id, b.last_batch_id
    from moved m
    cross join lateral (
        select coalesce(max(o.first_offset), m.first) as first_offset
        from traffic.micro_batches o
        where o.topic_no = m.topic_no and o.partition = m.partition and o.first_offset <= m.first
          and o.kind = 'ingest'
    ) begun
    cross join lateral (
        select w.batch_id, coalesce(w.last_batch_id, w.batch_id) as last_batch_id
        from traffic.micro_batches w
        where w.topic_no = m.topic_no and w.partition = m.partition and w.kind = 'ingest'
          and w.first_offset >= begun.first_offset and w.first_offset < m.upto
        offset 0
    ) b
)
