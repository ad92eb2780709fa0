select max(r."timestamp") as newest from traffic.traffic_readings r where r.sensor_id = %(sensor_id)s
