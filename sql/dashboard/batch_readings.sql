-- The newest event of each sensor in these batches.
select distinct on (e.sensor_id) e.sensor_id, e."timestamp", e.speed, e.volume, e.occupancy,
       e.quality_flags
from traffic.processed_events e
where e.batch_id = any(%(batches)s)
order by e.sensor_id, e."timestamp" desc
