select sensor_id, external_id, origin,
--| parts/sensor_description
from traffic.sensors
where sensor_id = any (%(sensor_ids)s)
