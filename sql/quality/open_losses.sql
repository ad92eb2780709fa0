-- Lost ranges that are not acknowledged.
select t.name as topic, r.topic_no, r.partition, r.first_offset, r.next_offset, r.cause,
       r.detected_at
from traffic.lost_ranges r join traffic.topics t using (topic_no)
where r.acknowledged_at is null
order by r.detected_at desc
limit %(sample)s
