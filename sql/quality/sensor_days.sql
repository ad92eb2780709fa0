-- Measurements of each sensor in [begin, end). On an empty road (volume 0) detectors may omit speed and
-- occupancy. A speed of 0 while vehicles passed counts as missing.
select s.sensor_id, s.external_id, count(*) as readings,
       count(*) filter (where r.volume > 0) as with_vehicles,
       count(*) filter (where r.volume is distinct from 0) as expected,
       count(*) filter (where r.volume >= 600 and r.occupancy is not null) as busy,
--| parts/missing_measures
       count(r.speed) as speed_values, min(r.speed) as speed_least, max(r.speed) as speed_greatest,
       count(r.volume) as volume_values, min(r.volume) as volume_least,
       max(r.volume) as volume_greatest,
       count(r.occupancy) as occupancy_values, min(r.occupancy) as occupancy_least,
       max(r.occupancy) as occupancy_greatest,
       avg(r.quality_score) as score
from traffic.sensors s
join traffic.traffic_readings r using (sensor_id)
where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
group by s.sensor_id
order by s.external_id
