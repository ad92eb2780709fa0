select topic_no, partition, "offset" from {batch}
where "timestamp" >= to_timestamp({begin}) and "timestamp" < to_timestamp({end})
group by topic_no, partition, "offset"
having count(*) > 1
