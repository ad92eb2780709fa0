select sensor_id, external_id, origin, name, road, direction, lanes, milepost, length_mi,
       latitude, longitude, station_id, interval_s, free_flow_mph, rural
from traffic.sensors
where sensor_id = any (%(sensor_ids)s)
