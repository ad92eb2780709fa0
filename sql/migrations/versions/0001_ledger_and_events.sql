create schema traffic;

-- Who this platform is, and what may never change once data is stored.
create table traffic.platform (
    singleton boolean primary key default true check (singleton),
    platform_id uuid not null default gen_random_uuid(),
    timezone text not null,
    created_at timestamptz not null default now()
);

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
    origin text not null check (origin in ('imported', 'seen'))
);

create table traffic.topics (
    topic_no smallint generated always as identity primary key,
    name text not null,
    kafka_topic_id text not null,
    cluster_id text not null,
    first_seen_at timestamptz not null default now()
);
create index on traffic.topics (name);

create table traffic.kafka_offsets (
    topic_no smallint not null references traffic.topics,
    partition integer not null check (partition >= 0),
    topic text not null,
    start_offset bigint not null,
    next_offset bigint not null check (next_offset >= start_offset),
    active boolean not null default true,
    leader_epoch integer,
    last_seen_end bigint,
    updated_at timestamptz not null default now(),
    primary key (topic_no, partition)
) with (fillfactor = 50);
-- One current log per topic partition: what went before keeps its own topic_no.
create unique index on traffic.kafka_offsets (topic, partition) where active;

create table traffic.partition_leases (
    topic text not null,
    partition integer not null,
    backend_pid integer not null,
    backend_start timestamptz not null,
    run_id text,
    renewed_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (topic, partition)
) with (fillfactor = 50);

create sequence traffic.batch_ids as bigint;

create table traffic.micro_batches (
    batch_id bigint not null,
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    first_offset bigint not null,
    next_offset bigint not null check (next_offset >= first_offset),
    delivered bigint not null,
    raw bigint not null,
    processed bigint not null,
    quarantined bigint not null,
    echoes bigint not null default 0,
    inserted bigint not null,
    updated bigint not null,
    unchanged bigint not null,
    event_dates date[] not null default '{}',
    date_counts jsonb not null default '{}',
    rules_version text not null,
    run_id text,
    committed_at timestamptz not null default now(),
    primary key (batch_id, topic_no, partition)
);
create index on traffic.micro_batches (topic_no, partition, first_offset);
create index on traffic.micro_batches (run_id);
create index on traffic.micro_batches using gin (event_dates);

create table traffic.raw_events (
    topic_no smallint not null,
    partition integer not null,
    "offset" bigint not null,
    key bytea,
    value bytea,
    headers bytea[],
    broker_timestamp timestamptz,
    ingested_at timestamptz not null,
    batch_id bigint not null
) partition by range (ingested_at);
-- Once per offset by the ledger's compare-and-set, which `traffic verify` proves; a primary key with
-- the arrival in it could not say so, and costs 4 µs an event. Rows lie in the order of offsets, so
-- a block range index finds one.
create index on traffic.raw_events
    using brin (topic_no, partition, "offset", batch_id) with (pages_per_range = 32);

create table traffic.processed_events (
    topic_no smallint not null,
    partition integer not null,
    "offset" bigint not null,
    sensor_id uuid not null,
    "timestamp" timestamptz not null,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision not null,
    quality_flags smallint not null,
    format smallint not null check (format in (1, 2)),
    batch_id bigint not null
) partition by range ("timestamp");
create index on traffic.processed_events
    using brin (topic_no, partition, "offset", batch_id) with (pages_per_range = 32);

create table traffic.traffic_readings (
    sensor_id uuid not null references traffic.sensors,
    "timestamp" timestamptz not null,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision not null,
    quality_flags smallint not null,
    broker_timestamp timestamptz not null,
    topic_no smallint not null,
    partition integer not null,
    "offset" bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    id uuid not null generated always as (
        md5(uuid_send(sensor_id)
            || int8send((extract(epoch from "timestamp" at time zone 'UTC') * 1000000)::bigint))::uuid
    ) stored,
    primary key (sensor_id, "timestamp")
) partition by range ("timestamp");

create table traffic.quarantined_events (
    topic_no smallint not null,
    partition integer not null,
    "offset" bigint not null,
    reason text not null,
    detail text not null,
    key bytea,
    value bytea,
    broker_timestamp timestamptz,
    quarantined_at timestamptz not null,
    batch_id bigint not null,
    resolved_at timestamptz,
    resolution text,
    primary key (topic_no, partition, "offset")
);
create index on traffic.quarantined_events (reason) where resolved_at is null;

create table traffic.lost_ranges (
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    first_offset bigint not null,
    next_offset bigint check (next_offset > first_offset),
    cause text not null check (cause in ('retention', 'truncation', 'topic_recreated')),
    detected_at timestamptz not null default now(),
    acknowledged_at timestamptz,
    primary key (topic_no, partition, first_offset)
);

-- Partitions. `create table ... partition of` would wait behind every open reader of the parent;
-- `like` and `attach` do not. The writing role owns no table, hence security definer.
create function traffic.ensure_partition(parent text, day date) returns text
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

-- A value as jsonb where it is JSON that jsonb can hold (no \u0000, no number beyond numeric).
create function traffic.try_jsonb(value bytea) returns jsonb
language plpgsql immutable parallel safe as $$
begin
    return convert_from(value, 'UTF8')::jsonb;
exception when others then
    return null;
end
$$;

create view traffic.raw_events_json as
select t.name as topic, r.topic_no, r.partition, r."offset", traffic.try_jsonb(r.value) as value,
       octet_length(r.value) as value_bytes, r.broker_timestamp, r.ingested_at, r.batch_id
from traffic.raw_events r join traffic.topics t using (topic_no);

create view traffic.processed_events_detail as
select t.name as topic, p.*, s.external_id, s.name as sensor_name
from traffic.processed_events p
join traffic.topics t using (topic_no)
left join traffic.sensors s using (sensor_id);

create view traffic.traffic_readings_detail as
select r.*, s.external_id, s.name as sensor_name, s.road, s.direction, s.milepost, s.station_id
from traffic.traffic_readings r join traffic.sensors s using (sensor_id);

create view traffic.quarantined_events_detail as
select t.name as topic, q.*, traffic.try_jsonb(q.value) as value_json
from traffic.quarantined_events q join traffic.topics t using (topic_no);

-- Least privilege: the owner migrates, traffic_ingest writes, traffic_read reads. A server that
-- does not let us create roles keeps working with the one role it gave us.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['traffic_ingest', 'traffic_read'] loop
        if not exists (select 1 from pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin', wanted);
            exception when insufficient_privilege then
                raise notice 'role % was not created: no privilege to create roles', wanted;
            end;
        end if;
    end loop;
    if exists (select 1 from pg_roles where rolname = 'traffic_read') then
        grant usage on schema traffic to traffic_read;
        grant select on all tables in schema traffic to traffic_read;
        alter default privileges in schema traffic grant select on tables to traffic_read;
    end if;
    if exists (select 1 from pg_roles where rolname = 'traffic_ingest') then
        grant usage on schema traffic to traffic_ingest;
        grant select, insert, update, delete on all tables in schema traffic to traffic_ingest;
        revoke insert, update, delete on traffic.platform from traffic_ingest;
        grant usage, select on all sequences in schema traffic to traffic_ingest;
        alter default privileges in schema traffic
            grant select, insert, update, delete on tables to traffic_ingest;
        alter default privileges in schema traffic grant usage, select on sequences to traffic_ingest;
        grant execute on function traffic.ensure_partition(text, date) to traffic_ingest;
    end if;
end
$$;
revoke execute on function traffic.ensure_partition(text, date) from public;
