-- `id` is generated. `created_at` and `updated_at` are times of an arrival, a reprocessing or a backfill.
-- Only manual changes break this. Arrivals of dropped days are unknown.
with known as materialized (
    select coalesce(max(upper_bound), '-infinity') as since
    from traffic.dropped_rows
    where table_name = 'raw_events'
), arrival as materialized (
    select ingested_at from traffic.raw_events
    union
    select committed_at from traffic.micro_batches where kind = 'reprocess'
    union
    select committed_at from traffic.rebuilds
), odd as materialized (
    select d.sensor_id, d."timestamp", d.id, d.created_at, d.updated_at,
           c.ingested_at is not null or d.created_at < k.since as created,
           u.ingested_at is not null or d.updated_at < k.since as updated
    from traffic.traffic_readings d
    cross join known k
    left join arrival c on c.ingested_at = d.created_at
    left join arrival u on u.ingested_at = d.updated_at
    where (c.ingested_at is null and d.created_at >= k.since)
       or (u.ingested_at is null and d.updated_at >= k.since)
       or d.id is distinct from md5(
           uuid_send(d.sensor_id)
           || int8send((extract(epoch from d."timestamp" at time zone 'UTC') * 1000000)::bigint)
       )::uuid
)
select 'traffic_readings' as table_name,
       json_build_object('sensor_id', sensor_id, 'timestamp', "timestamp") as key,
       case when not created then 'created_at at an arrival, a reprocessing or a backfill'
            when not updated then 'updated_at at an arrival, a reprocessing or a backfill'
            else 'the id that is made from sensor_id and timestamp' end as expected,
       case when not created then created_at::text
            when not updated then updated_at::text
            else id::text end as found
from odd
order by sensor_id, "timestamp"
limit %(limit)s
