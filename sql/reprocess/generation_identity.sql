-- The topic of a generation, and the offset below which retention has dropped raw rows.
select t.name, t.kafka_topic_id, coalesce(d.raw_to, 0)
from traffic.topics t
join traffic.kafka_offsets o using (topic_no)
left join traffic.dropped_logs d using (topic_no, partition)
where topic_no = %(topic_no)s and o.partition = %(partition)s and o.active
