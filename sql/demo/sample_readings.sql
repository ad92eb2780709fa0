-- Number of stored readings of the recorded hour.
select count(*) from traffic.traffic_readings where "timestamp" >= %(first)s and "timestamp" < %(next)s;
