select topic_no, partition, "offset", event_no from {batch}
where "timestamp" >= to_timestamp({begin}) and "timestamp" < to_timestamp({end})
group by topic_no, partition, "offset", event_no
having count(*) > 1
