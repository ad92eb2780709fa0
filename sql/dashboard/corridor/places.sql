-- Mileposts of a corridor, with a name, the number of lanes and the free-flow speed at a time.
select s.milepost, min(coalesce(s.name, s.external_id)) as name, count(*) as lanes,
       max(t.free_flow_mph) as free_flow_mph
from traffic.sensors s
join traffic.sensor_timeline t using (sensor_id)
where s.road = %(road)s and s.direction is not distinct from %(direction)s
  and s.milepost is not null and t.valid_from < %(at)s and t.valid_until >= %(at)s
group by s.milepost
order by s.milepost
