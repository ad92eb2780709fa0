insert into traffic.sensors (sensor_id, external_id, origin)
select id::uuid, external_id, 'seen'
from unnest(%(ids)s::text[], %(external_ids)s::text[]) as s (id, external_id)
order by id::uuid
on conflict do nothing
