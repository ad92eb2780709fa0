-- Audit rows and lost ranges of a generation must follow one another from start_offset to next_offset.
-- The next_offset is added as a last, empty range. Audit rows of reprocessing and backfills are left
-- out, because they lie over the ranges that they correct. A range that an inactive generation lost
-- begins at its next_offset, where the next generation took over.
with ranges as (
    select b.topic_no, b.partition, b.first_offset, b.next_offset, b.batch_id,
           'micro_batches' as source,
           json_build_object('batch_id', b.batch_id, 'topic_no', b.topic_no,
                             'partition', b.partition) as key
    from traffic.micro_batches b
    where b.next_offset > b.first_offset and b.kind = 'ingest'
    union all
    select l.topic_no, l.partition, l.first_offset, coalesce(l.next_offset, l.first_offset), 0,
           'lost_ranges',
           json_build_object('topic_no', l.topic_no, 'partition', l.partition,
                             'first_offset', l.first_offset)
    from traffic.lost_ranges l
    left join traffic.kafka_offsets o using (topic_no, partition)
    where o.active is not false or l.first_offset <> o.next_offset
    union all
    select topic_no, partition, next_offset, next_offset, 0, 'kafka_offsets',
           json_build_object('topic_no', topic_no, 'partition', partition)
    from traffic.kafka_offsets
), steps as (
    select r.*, o.start_offset,
           coalesce(
               lag(r.next_offset) over (
                   partition by r.topic_no, r.partition
                   order by r.source = 'kafka_offsets', r.first_offset, r.next_offset, r.batch_id
               ),
               o.start_offset
           ) as due
    from ranges r
    left join traffic.kafka_offsets o using (topic_no, partition)
)
select case when start_offset is null then 'kafka_offsets'
            when source <> 'kafka_offsets' and first_offset > due then 'micro_batches'
            else source end as table_name,
       case when start_offset is null or (source <> 'kafka_offsets' and first_offset > due)
            then json_build_object('topic_no', topic_no, 'partition', partition)
            else key end as key,
       case when start_offset is null then format('a row, since %%s has one', source)
            when source = 'kafka_offsets'
            then format('next_offset %%s, where the last audit row or lost range ends', due)
            when first_offset > due
            then format('audit rows or lost ranges from offset %%s to %%s', due, first_offset - 1)
            else format('first_offset %%s, where the range before it ends', due) end as expected,
       case when start_offset is null or (source <> 'kafka_offsets' and first_offset > due)
            then 'none'
            when source = 'kafka_offsets' then format('next_offset %%s', next_offset)
            else format('first_offset %%s', first_offset) end as found
from steps
where start_offset is null or first_offset <> due
order by topic_no, partition, source = 'kafka_offsets', first_offset, next_offset, batch_id
limit %(limit)s
