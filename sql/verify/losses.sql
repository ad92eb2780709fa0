-- Messages that Kafka deleted before they were read, as long as nobody has acknowledged the loss.
select 'lost_ranges' as table_name,
       json_build_object(
           'topic', t.name, 'topic_no', l.topic_no, 'partition', l.partition,
           'first_offset', l.first_offset) as key,
       'every message stored' as expected,
       case when l.next_offset is null
           then format('all from offset %%s on lost by %%s', l.first_offset, l.cause)
           else format('offsets %%s to %%s lost by %%s', l.first_offset, l.next_offset - 1, l.cause)
       end || format(', noticed at %%s', to_char(l.detected_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) as found
from traffic.lost_ranges l
join traffic.topics t using (topic_no)
where l.acknowledged_at is null
order by l.topic_no, l.partition, l.first_offset
limit %(limit)s
