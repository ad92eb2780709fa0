select sensor_id from traffic.sensors where sensor_id = any (%(ids)s::uuid[])
