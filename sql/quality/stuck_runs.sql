-- By sensor, the longest run of readings with vehicles that repeat each other, of at least `readings`
-- readings and the duration `lasting`. Consecutive repeats have the same difference between their number
-- among all readings and their number among the repeats, which identifies the run.
with compared as (
    select r.sensor_id, r."timestamp", r.speed, r.volume, r.occupancy,
           row_number() over sensor as number, lag(r."timestamp") over sensor as before,
           (r.speed, r.volume, r.occupancy) is not distinct from
               (lag(r.speed) over sensor, lag(r.volume) over sensor, lag(r.occupancy) over sensor)
               as repeats
    from traffic.traffic_readings r
    where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
    window sensor as (partition by r.sensor_id order by r."timestamp")
), numbered as (
    select *, number - row_number() over (partition by sensor_id order by number) as run
    from compared
    where repeats and volume > 0
), run as (
    select sensor_id, run, count(*) + 1 as readings, min(speed) as speed, min(volume) as volume,
           min(occupancy) as occupancy, min(before) as first, max("timestamp") as last
    from numbered
    group by sensor_id, run
    having count(*) + 1 >= %(readings)s and max("timestamp") - min(before) >= %(lasting)s
), longest as (
    select distinct on (sensor_id) * from run order by sensor_id, readings desc, run
)
select s.external_id as sensor, l.readings, l.speed, l.volume, l.occupancy, l.first, l.last,
       'the same reading again and again' as finding
from longest l join traffic.sensors s using (sensor_id)
order by l.readings desc, s.external_id
