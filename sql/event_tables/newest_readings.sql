select s.id::uuid, (extract(epoch from newest."timestamp") * 1000000)::bigint
from unnest(%(ids)s::text[]) as s (id)
cross join lateral (
    select max(r."timestamp") as "timestamp"
    from traffic.traffic_readings r
    where r.sensor_id = s.id::uuid
) newest
where newest."timestamp" is not null
