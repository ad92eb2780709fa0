-- With this key the platform signs what it publishes, and knows its own messages by it again. Who
-- reads it can make messages that ingest takes for echoes and skips, so readers may not.
create table traffic.platform_keys (
    singleton boolean primary key default true check (singleton),
    echo_key bytea not null check (octet_length(echo_key) = 32)
);
insert into traffic.platform_keys (echo_key)
select decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');

-- What wrote an audit row. Those of a window tile the offsets of a log; those of a replay correct
-- earlier ones by signed differences, over a range that holds the offsets that it resolved.
alter table traffic.micro_batches
    add column kind text not null default 'window' check (kind in ('window', 'replay', 'rebuild'));
create index on traffic.micro_batches (topic_no, partition, batch_id) where kind <> 'window';

-- How far a log is published. A route leads from a kind of rows to a topic: events (next_position
-- is a source offset), replays (a replay_no), quarantine (a source offset).
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

-- Quarantined messages that a replay let in, numbered for publishing: they lie behind the position
-- of their log. Numbers follow the order of commits, since a replay excludes all other writers.
create table traffic.replayed_events (
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    replay_no bigint not null,
    "offset" bigint not null,
    batch_id bigint not null,
    primary key (topic_no, partition, replay_no),
    unique (topic_no, partition, "offset")
);

do $$
begin
    if exists (select 1 from pg_roles where rolname = 'traffic_read') then
        revoke all on traffic.platform_keys from traffic_read;
    end if;
    if exists (select 1 from pg_roles where rolname = 'traffic_ingest') then
        revoke insert, update, delete on traffic.platform_keys from traffic_ingest;
    end if;
end
$$;
