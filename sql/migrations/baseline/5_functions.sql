-- Functions. The migration from 0.1.0 runs this file, too. The writing role owns no table, so the
-- functions that create and drop partitions run with the rights of the owner (security definer).

-- Create a partition and return its name. `create table ... partition of` would wait behind every open
-- reader of the parent; `like` and `attach` do not.
create or replace function traffic.ensure_partition(parent text, day date) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    daily constant boolean := parent = 'raw_events';
    lower_day constant date := case when daily then day else date_trunc('month', day)::date end;
    upper_day constant date :=
        case when daily then day + 1 else (date_trunc('month', day) + interval '1 month')::date end;
    child constant text :=
        parent || to_char(lower_day, case when daily then '_YYYYMMDD' else '_YYYYMM' end);
begin
    if parent not in ('raw_events', 'processed_events', 'traffic_readings') then
        raise exception 'traffic.% is not partitioned by date', parent;
    end if;
    perform set_config('lock_timeout', '2s', true);
    perform pg_advisory_xact_lock(hashtextextended('traffic.' || child, 0));
    if exists (
        select 1 from pg_inherits
        where inhrelid = to_regclass('traffic.' || child)
          and inhparent = to_regclass('traffic.' || parent)
    ) then
        return child;
    end if;
    execute format('create table if not exists traffic.%I (like traffic.%I including all)', child, parent);
    if parent = 'traffic_readings' then
        execute format('alter table traffic.%I add foreign key (sensor_id) references traffic.sensors', child);
    end if;
    execute format(
        'alter table traffic.%I attach partition traffic.%I for values from (%L) to (%L)',
        parent, child, lower_day || ' 00:00:00+00', upper_day || ' 00:00:00+00');
    return child;
end
$$;
revoke execute on function traffic.ensure_partition(text, date) from public;

-- Drop a partition that still has the number of rows that was counted before. The caller records the
-- drop in the same transaction. It waits for readers no longer than lock_timeout. Returns null when the
-- number has changed.
create or replace function traffic.drop_partition(parent text, day date, counted bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    daily constant boolean := parent = 'raw_events';
    child constant text := parent || to_char(day, case when daily then '_YYYYMMDD' else '_YYYYMM' end);
    upper_bound constant timestamptz :=
        (day + case when daily then interval '1 day' else interval '1 month' end)::timestamp
        at time zone 'UTC';
    stored bigint;
begin
    if parent not in ('raw_events', 'processed_events', 'traffic_readings') then
        raise exception 'traffic.% is not partitioned by date', parent;
    end if;
    if upper_bound > now() then
        raise exception 'traffic.% is not over yet', child;
    end if;
    if not exists (
        select 1 from pg_inherits
        where inhrelid = to_regclass('traffic.' || child)
          and inhparent = to_regclass('traffic.' || parent)
    ) then
        raise exception 'traffic.% is not a partition of %', child, parent;
    end if;
    -- From here on nobody writes to the partition; readers go on.
    execute format('lock table traffic.%I in share mode', child);
    execute format('select count(*) from traffic.%I', child) into stored;
    if stored <> counted then
        return null;
    end if;
    -- Batches follow one another closely, and each holds the parent for a second, so several tries may
    -- be needed. Each lasts no longer than the caller's lock_timeout, because others wait meanwhile.
    for try in 1..6 loop
        begin
            -- From here to the end of the transaction everybody else waits.
            execute format('alter table traffic.%I detach partition traffic.%I', parent, child);
            execute format('drop table traffic.%I', child);
            return child;
        exception when lock_not_available then
            if try = 6 then
                raise;
            end if;
            perform pg_sleep(0.1 * 2 ^ try);
        end;
    end loop;
end
$$;
revoke execute on function traffic.drop_partition(text, date, bigint) from public;

-- A value as jsonb if jsonb can hold it (no \u0000, no number beyond numeric), else null. The exception
-- block is a subtransaction, which parallel workers cannot begin before PostgreSQL 17.
create or replace function traffic.try_jsonb(value bytea) returns jsonb
language plpgsql immutable as $$
begin
    return convert_from(value, 'UTF8')::jsonb;
exception when others then
    return null;
end
$$;

-- The id of a reading, for callers that have its key. A virtual column is computed where the table is
-- read, also for rows that a sort with a limit discards.
create or replace function traffic.reading_id(sensor_id uuid, "timestamp" timestamptz) returns uuid
language sql immutable parallel safe as $$
    select md5(uuid_send(sensor_id)
               || int8send((extract(epoch from "timestamp" at time zone 'UTC') * 1000000)::bigint))::uuid
$$;

-- A reading as the API shows it, for sessions whose DateStyle is ISO. to_char would take longer.
create or replace function traffic.reading_json(
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
