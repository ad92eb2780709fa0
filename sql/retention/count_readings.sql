-- Readings of a month by the generation of their provenance. A reading arrived when it last changed.
insert into pg_temp.dropping
select topic_no, partition, null, null, count(*), max("offset") + 1,
       greatest(max(created_at), max(updated_at))
from traffic.traffic_readings
where "timestamp" >= %(lower)s and "timestamp" < %(upper)s
group by topic_no, partition
