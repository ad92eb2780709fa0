-- As clock_delays, of a sample of the pages of many dates.
select r.sensor_id, count(*) as readings,
       percentile_cont(array[0.25, 0.5, 0.75]) within group (
           order by extract(epoch from
               least(r.broker_timestamp, r.created_at) - r."timestamp")::double precision
       ) as delay
from traffic.traffic_readings r tablesample system (%(percent)s) repeatable (0)
where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
  and r.broker_timestamp > '-infinity'
group by r.sensor_id
