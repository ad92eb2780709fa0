-- Those of the sensors without a reading before `begin`, with their first one in [begin, end). The newest
-- partitions are read first, so that a sensor that is not new costs one index probe.
select s.external_id as sensor, first.reading as since
from traffic.sensors s
cross join lateral (
    select min(r."timestamp") as reading
    from traffic.traffic_readings r
    where r.sensor_id = s.sensor_id and r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
) first
where s.sensor_id = any(%(sensors)s) and first.reading > %(begin)s
  and (
      select r."timestamp"
      from traffic.traffic_readings r
      where r.sensor_id = s.sensor_id and r."timestamp" < %(begin)s
      order by r."timestamp" desc
      limit 1
  ) is null
  -- If retention has dropped the readings, the diagnoses remain.
  and not exists (
      select
      from traffic.detector_health h
      where h.sensor_id = s.sensor_id and h.date < %(day)s and h.last_reading is not null
  )
order by since, sensor
