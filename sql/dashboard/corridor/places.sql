-- Mileposts of a corridor, with a name, the number of lanes and the free-flow speed.
select s.milepost, min(coalesce(s.name, s.external_id)) as name, count(*) as lanes,
       max(coalesce(s.free_flow_mph, s.inferred_free_flow_mph)) as free_flow_mph
from traffic.sensors s
where s.road = %(road)s and s.direction is not distinct from %(direction)s
  and s.milepost is not null
group by s.milepost
order by s.milepost
