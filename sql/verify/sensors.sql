select sensor_id, external_id from traffic.sensors order by sensor_id
