-- The schema, the identity of the platform, and the sensors.
create schema traffic;

-- Settings that may never change once data is stored.
create table traffic.platform (
    singleton boolean primary key default true check (singleton),
    platform_id uuid not null default gen_random_uuid(),
    timezone text not null,
    created_at timestamptz not null default now()
);

-- The platform signs its published messages with this key, and recognizes them by it. A
-- holder of the key can forge messages that ingest skips, so the reading role may not see it.
create table traffic.platform_keys (
    singleton boolean primary key default true check (singleton),
    echo_key bytea not null check (octet_length(echo_key) = 32)
);
insert into traffic.platform_keys (echo_key)
select decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');

create table traffic.sensors (
    sensor_id uuid primary key,
    external_id text not null unique check (char_length(external_id) between 1 and 255),
    name text,
    road text,
    direction text,
    lanes smallint check (lanes > 0),
    milepost double precision,
    length_mi double precision check (length_mi > 0),
    latitude double precision check (latitude between -90 and 90),
    longitude double precision check (longitude between -180 and 180),
    station_id text,
    interval_s integer check (interval_s > 0),
    free_flow_mph double precision check (free_flow_mph > 0),
    registered_at timestamptz not null default now(),
    origin text not null check (origin in ('imported', 'seen')),
    -- True for a road so empty that a working detector may see no vehicle for most of a day.
    rural boolean,
    -- Computed from readings if no imported list has them, and stored so that a recomputation uses the
    -- same values.
    inferred_interval_s integer check (inferred_interval_s > 0),
    inferred_free_flow_mph double precision check (inferred_free_flow_mph > 0)
);
