-- Logs of which more is stored than up to some positions; a log without one begins at its start.
select k.topic_no, k.partition, p.first, k.next_offset as upto
from traffic.kafka_offsets k
left join unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
    as w (topic_no, partition, position) using (topic_no, partition)
cross join lateral (select coalesce(w.position, k.start_offset) as first) p
where k.next_offset <> p.first
