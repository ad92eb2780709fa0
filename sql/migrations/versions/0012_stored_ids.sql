-- What 0012_computed_ids.sql replaced. To store ids again rewrites every partition; where they have
-- stayed stored there is nothing to do.
drop function traffic.reading_json(
    uuid, timestamptz, double precision, integer, double precision, double precision
);
drop function traffic.reading_id;
create or replace function traffic.reading_json(
    id uuid, sensor_id uuid, "timestamp" timestamptz, speed double precision, volume integer,
    occupancy double precision, quality_score double precision
) returns text
language sql stable parallel safe as $$
    select concat(
        '{"id":"', id, '","sensor_id":"', sensor_id, '","timestamp":"',
        replace(("timestamp" at time zone 'UTC')::text, ' ', 'T'),
        'Z","speed":', coalesce(speed::text, 'null'), ',"volume":', coalesce(volume::text, 'null'),
        ',"occupancy":', coalesce(occupancy::text, 'null'), ',"quality_score":', quality_score, '}')
$$;

do $$
begin
    if exists (
        select from pg_attribute
        where attrelid = 'traffic.traffic_readings'::regclass and attname = 'id'
          and attgenerated = 's'
    ) then
        return;
    end if;
    drop view traffic.traffic_readings_detail;
    alter table traffic.traffic_readings drop column id;
    alter table traffic.traffic_readings add column id uuid not null generated always as (
        md5(uuid_send(sensor_id)
            || int8send((extract(epoch from "timestamp" at time zone 'UTC') * 1000000)::bigint))::uuid
    ) stored;
    create view traffic.traffic_readings_detail as
    select r.*, s.external_id, s.name as sensor_name, s.road, s.direction, s.milepost, s.station_id
    from traffic.traffic_readings r join traffic.sensors s using (sensor_id);
end
$$;
