-- Commit time of the oldest unpublished batch, of ingest and of reprocessing.
select min(committed_at)
from (
    select b.committed_at
    from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
         as w (topic_no, partition, position)
    cross join lateral (
        -- Batches before the position end at it or contain it: at most one row before the first batch
        -- beyond it.
        select b.committed_at, b.next_offset
        from traffic.micro_batches b
        where b.topic_no = w.topic_no and b.partition = w.partition and b.kind = 'ingest'
          and b.next_offset > w.position
          and b.first_offset >= coalesce((
              select max(before.first_offset) from traffic.micro_batches before
              where before.topic_no = w.topic_no and before.partition = w.partition
                and before.kind = 'ingest' and before.first_offset <= w.position
          ), w.position)
        order by b.first_offset
        limit 1
    ) b
    union all
    select b.committed_at
    from unnest(%(replayed_topic_nos)s::smallint[], %(replayed_partitions)s::integer[],
                %(replay_nos)s::bigint[]) as w (topic_no, partition, replay_no)
    join traffic.replayed_events r
      on r.topic_no = w.topic_no and r.partition = w.partition and r.replay_no >= w.replay_no
    join traffic.micro_batches b
      on b.batch_id = r.batch_id and b.topic_no = r.topic_no and b.partition = r.partition
) waiting
