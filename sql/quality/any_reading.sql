-- One reading in [begin, end), if there is any.
select sensor_id from traffic.traffic_readings
where "timestamp" >= %(begin)s and "timestamp" < %(end)s
limit 1
