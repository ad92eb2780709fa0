-- `id` is generated and times of storing are arrivals; both hold unless somebody went around them.
with arrivals as (
    select distinct ingested_at from traffic.raw_events
)
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', d.sensor_id, 'timestamp', d."timestamp") as key,
       rule.due as expected, rule.stands as found
from (
    select d.*, c.ingested_at as created, u.ingested_at as updated,
           md5(uuid_send(d.sensor_id)
               || int8send((extract(epoch from d."timestamp" at time zone 'UTC') * 1000000)::bigint)
           )::uuid as own_id
    from traffic.traffic_readings d
    left join arrivals c on c.ingested_at = d.created_at
    left join arrivals u on u.ingested_at = d.updated_at
) d
cross join lateral (values
    (d.id <> d.own_id, format('id %%s', d.own_id), d.id::text),
    (d.created is null, 'created_at when a message arrived', d.created_at::text),
    (d.updated is null, 'updated_at when a message arrived', d.updated_at::text)
) rule (broken, due, stands)
where rule.broken and (d.id <> d.own_id or d.created is null or d.updated is null)
order by d.sensor_id, d."timestamp"
limit %(limit)s
