-- The rights on the view that others than its owner have, as statements that give them.
select format('grant %s on traffic.traffic_readings_detail to %s%s', a.privilege_type,
              case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
              case when a.is_grantable then ' with grant option' else '' end)
from pg_class c
cross join lateral aclexplode(c.relacl) a
where c.oid = 'traffic.traffic_readings_detail'::regclass and a.grantee <> c.relowner
