-- The event tables, quarantine, publishing, and the records of reprocessing and backfills.
--
-- An event is named by topic_no, partition, offset and event_no, its position within the message.
-- New columns stand at the end of a table, as in databases that were brought over from 0.1.0.

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
-- The ledger's compare-and-set stores each offset once, and `traffic verify` proves it. A primary key
-- must contain the arrival, so it could not enforce this, and it costs 4 µs an event.
-- Batches are stored in the order of their numbers, so a block range index finds a batch.
-- micro_batches leads from an offset to its batch.
create index on traffic.raw_events
    using brin (batch_id) with (pages_per_range = 32, autosummarize = on);

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
    batch_id bigint not null,
    event_no smallint not null default 0,
    interval_s numeric
) partition by range ("timestamp");
-- A B-tree, because publishers and pages often read the newest rows, before a vacuum has summarized them.
-- All rows of a batch share one key, so the tree is small and grows at its end.
create index on traffic.processed_events (batch_id);

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
    primary key (sensor_id, "timestamp")
) partition by range ("timestamp");
-- The id follows from the key. Storing it costs a tenth of the cost of a message, and 16 bytes a row.
-- Computing it on read costs 0.7 µs; PostgreSQL can do so from version 18 on.
do $$
begin
    execute format(
        'alter table traffic.traffic_readings add column id uuid %s generated always as (
            md5(uuid_send(sensor_id)
                || int8send((extract(epoch from "timestamp" at time zone ''UTC'') * 1000000)::bigint))::uuid
        ) %s',
        case when current_setting('server_version_num')::int < 180000 then 'not null' else '' end,
        case when current_setting('server_version_num')::int < 180000 then 'stored' else 'virtual' end);
end
$$;
alter table traffic.traffic_readings
    add column event_no smallint not null default 0,
    add column interval_s numeric;
-- Pages of a date are read in the order of time. Readings mostly come in that order, so block ranges
-- suffice. A B-tree of time and sensor hardly serves many clients faster, and slows a writer by 8 %.
create index traffic_readings_by_time on traffic.traffic_readings
    using brin ("timestamp") with (pages_per_range = 64, autosummarize = on);

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
    -- The date that the audit counts the message at. Today's rules may give another date, so
    -- reprocessing reads it here.
    event_date date not null,
    -- The rules that rejected the message again; null if only the rules of its batch did.
    rules_version text,
    event_no smallint not null default 0,
    primary key (topic_no, partition, "offset", event_no)
);
create index on traffic.quarantined_events (reason) where resolved_at is null;
-- The API and the dashboard ask for a date by reason, and for the newest unresolved messages.
create index on traffic.quarantined_events (event_date, reason);
create index on traffic.quarantined_events (quarantined_at) where resolved_at is null;

-- Progress of publishing. A route leads from a kind of rows to a topic: events and quarantine (the
-- position is a source offset), replays (the position is a replay_no).
create table traffic.publications (
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    route text not null check (route in ('events', 'replays', 'quarantine')),
    next_position bigint not null,
    destination_topic text not null,
    destination_topic_id text not null,
    destination_partition integer not null,
    destination_next_offset bigint not null,
    updated_at timestamptz not null default now(),
    primary key (topic_no, partition, route)
) with (fillfactor = 50);

-- Events of reprocessed messages, numbered for publishing: their offsets lie behind the position of
-- their generation. Numbers follow the order of commits, since reprocessing excludes other writers.
create table traffic.replayed_events (
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    replay_no bigint not null,
    "offset" bigint not null,
    batch_id bigint not null,
    event_no smallint not null default 0,
    primary key (topic_no, partition, replay_no),
    unique (topic_no, partition, "offset", event_no)
);

-- Events whose result a backfill replaced because other rules than today's had decided it. Each row
-- corrects the audit of an earlier batch. A repair under the same rules has no row.
create table traffic.rebuilt_events (
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    "offset" bigint not null,
    batch_id bigint not null,
    was text not null check (was in ('processed', 'quarantined')),
    was_batch_id bigint not null,
    was_date date not null,
    becomes text not null check (becomes in ('processed', 'quarantined')),
    event_date date not null,
    event_no smallint not null default 0,
    primary key (topic_no, partition, "offset", event_no, batch_id)
);
create index on traffic.rebuilt_events (batch_id);

-- Dates that a backfill wrote to, with the numbers of rows. A date without differences has no row.
create table traffic.rebuilds (
    batch_id bigint primary key,
    date date not null,
    rules_version text not null,
    run_id text,
    raw_restored bigint not null,
    events_added bigint not null,
    events_changed bigint not null,
    events_removed bigint not null,
    entered bigint not null,
    "left" bigint not null,
    moved bigint not null,
    rejudged bigint not null,
    readings_added bigint not null,
    readings_changed bigint not null,
    readings_removed bigint not null,
    committed_at timestamptz not null
);
create index on traffic.rebuilds (date);
