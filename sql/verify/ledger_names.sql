-- The ledger repeats the topic's name, so that an index allows one active generation per partition.
select 'kafka_offsets' as table_name,
       json_build_object('topic_no', o.topic_no, 'partition', o.partition) as key,
       format('topic %%s', t.name) as expected, format('topic %%s', o.topic) as found
from traffic.kafka_offsets o
join traffic.topics t using (topic_no)
where o.topic <> t.name
order by o.topic_no, o.partition
limit %(limit)s
