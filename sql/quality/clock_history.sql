-- The delays of a sensor's readings (s) on the days before: quartiles of the days' medians, from a sample of
-- their pages. Only days with steady delays count (the middle half within `steady` seconds), because data
-- that was held up or loaded later says nothing about a clock. Times of arrival as in clock_delays.
select sensor_id, count(*) as days,
       percentile_disc(array[0.25, 0.5, 0.75]) within group (order by delay[2]) as delay
from (
    select r.sensor_id,
--| parts/arrival_delay
    from traffic.traffic_readings r tablesample system (%(percent)s) repeatable (0)
    where r."timestamp" >= %(begin)s and r."timestamp" < %(end)s
      and r.broker_timestamp > '-infinity'
    group by r.sensor_id, (r."timestamp" at time zone %(timezone)s)::date
    having count(*) >= %(least)s
) sensor_day
where delay[3] - delay[1] <= %(steady)s
group by sensor_id
having count(*) >= %(days)s
