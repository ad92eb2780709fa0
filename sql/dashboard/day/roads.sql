-- A day by road and direction. Shares and speeds are quotients of sums, never means of means.
select s.road, s.direction, count(*) as sensors, sum(d.samples)::bigint as readings,
       sum(d.samples) filter (where d.expected_samples is not null)
           / nullif(sum(d.expected_samples), 0) as completeness,
       sum(d.good)::double precision / nullif(sum(d.samples), 0) as good_share,
       sum(d.sum_qv) / nullif(sum(d.sum_q), 0) as speed, sum(d.vmt) as vmt,
       sum(d.delay_h) as delay_h, sum(d.vht) / nullif(sum(d.free_vht), 0) as travel_time_index
from traffic.readings_daily d
join traffic.sensors s using (sensor_id)
where d.date = %(date)s
group by s.road, s.direction
order by s.road nulls last, s.direction
