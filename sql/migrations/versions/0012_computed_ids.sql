-- An id follows from its row's key. To compute and store it costs a tenth of what a message costs, and
-- 16 bytes a row for ever; to compute it where somebody reads it costs 0.7 µs. PostgreSQL 18 can.
-- The view names its columns as they were when it was made. Where something of somebody's own needs
-- the id (a view, an index, rights), it stays stored: nothing that is not ours is dropped.
do $$
begin
    if current_setting('server_version_num')::int < 180000 then
        return;
    end if;
    -- What goes with a column without a word.
    if exists (
        select
        from pg_partition_tree('traffic.traffic_readings') t
        join pg_attribute a on a.attrelid = t.relid and a.attname = 'id'
        left join pg_depend d
            on d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid
            and d.refobjsubid = a.attnum and d.classid not in
                ('pg_attrdef'::regclass, 'pg_rewrite'::regclass, 'pg_type'::regclass)
            and not exists (
                select from pg_constraint n
                where d.classid = 'pg_constraint'::regclass and n.oid = d.objid and n.contype = 'n'
            )
        where d.objid is not null or a.attacl is not null
    ) then
        raise notice 'ids stay stored, since an index or rights depend on them';
        return;
    end if;
    begin
        drop view traffic.traffic_readings_detail;
        alter table traffic.traffic_readings drop column id;
    exception when dependent_objects_still_exist then
        raise notice 'ids stay stored, since other views depend on them';
        return;
    end;
    alter table traffic.traffic_readings add column id uuid generated always as (
        md5(uuid_send(sensor_id)
            || int8send((extract(epoch from "timestamp" at time zone 'UTC') * 1000000)::bigint))::uuid
    ) virtual;
    create view traffic.traffic_readings_detail as
    select r.*, s.external_id, s.name as sensor_name, s.road, s.direction, s.milepost, s.station_id
    from traffic.traffic_readings r join traffic.sensors s using (sensor_id);
end
$$;

-- The same id for who has the key: a virtual column is computed where the table is read, also for rows
-- that a sort with a limit throws away.
create function traffic.reading_id(sensor_id uuid, "timestamp" timestamptz) returns uuid
language sql immutable parallel safe as $$
    select md5(uuid_send(sensor_id)
               || int8send((extract(epoch from "timestamp" at time zone 'UTC') * 1000000)::bigint))::uuid
$$;

do $$
begin
    drop function traffic.reading_json(
        uuid, uuid, timestamptz, double precision, integer, double precision, double precision
    );
exception when dependent_objects_still_exist then
    raise notice 'the old traffic.reading_json stays, since others depend on it';
end
$$;
create function traffic.reading_json(
    sensor_id uuid, "timestamp" timestamptz, speed double precision, volume integer,
    occupancy double precision, quality_score double precision
) returns text
language sql stable parallel safe as $$
    select concat(
        '{"id":"', traffic.reading_id(sensor_id, "timestamp"), '","sensor_id":"', sensor_id,
        '","timestamp":"', replace(("timestamp" at time zone 'UTC')::text, ' ', 'T'),
        'Z","speed":', coalesce(speed::text, 'null'), ',"volume":', coalesce(volume::text, 'null'),
        ',"occupancy":', coalesce(occupancy::text, 'null'), ',"quality_score":', quality_score, '}')
$$;
