-- Events from %(begin)s to before %(end)s whose sensor has no reading at their time: how many, and
-- the first of them.
select count(*) over () as missing, coalesce(s.external_id, e.sensor_id::text) as sensor,
       e."timestamp", e.topic_no, e.partition, e."offset"
from (
    select distinct on (p.sensor_id, p."timestamp") p.*
    from traffic.processed_events p
    where p."timestamp" >= %(begin)s and p."timestamp" < %(end)s
      and not exists (
          select from traffic.traffic_readings r
          where r.sensor_id = p.sensor_id and r."timestamp" = p."timestamp"
            and r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
      )
    order by p.sensor_id, p."timestamp"
) e
left join traffic.sensors s using (sensor_id)
order by e."timestamp", sensor
limit %(sample)s
