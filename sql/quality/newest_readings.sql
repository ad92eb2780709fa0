-- By sensor that is not retired, the time and the arrival of the newest reading since `since`, and the mean interval of the last
-- twenty readings (s).
select s.external_id as sensor, last.readings, last.newest, last.arrived,
       extract(epoch from last.newest - last.oldest) / greatest(1, last.readings - 1) as interval_s
from traffic.sensors s
cross join lateral (
    select count(*) as readings, max(r."timestamp") as newest, min(r."timestamp") as oldest,
           max(r.created_at) as arrived
    from (
        select r."timestamp", r.created_at from traffic.traffic_readings r
        where r.sensor_id = s.sensor_id
          and r."timestamp" >= %(since)s and r."timestamp" <= %(until)s + interval '5 minutes'
        order by r."timestamp" desc
        limit 20
    ) r
) last
where last.readings > 0 and not s.retired
