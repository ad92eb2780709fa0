       count(*) filter (
           where r.volume is distinct from 0
             and (r.speed is null or r.speed = 0 and r.volume > 0)
       ) as speed_missing,
       count(*) filter (where r.volume is null) as volume_missing,
       count(*) filter (where r.volume is distinct from 0 and r.occupancy is null)
           as occupancy_missing,
