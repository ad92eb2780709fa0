select r.sensor_id, r."timestamp"
from {batch} r left join traffic.sensors s on s.sensor_id = r.sensor_id
where r."timestamp" >= to_timestamp({begin}) and r."timestamp" < to_timestamp({end})
  and s.sensor_id is null
