-- Partitions that have stored more than the reader has seen: the stretch of offsets of each, from
-- `first` to before `upto`. The reader has no position in a partition that is new to it: the stretch
-- begins at the first stored offset then. Ledger and rows commit together: all of a stretch is there.
select k.topic_no, k.partition, p.first, k.next_offset as upto
from traffic.kafka_offsets k
left join unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
    as w (topic_no, partition, position) using (topic_no, partition)
cross join lateral (select coalesce(w.position, k.start_offset) as first) p
where k.next_offset <> p.first
