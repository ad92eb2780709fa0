-- Messages whose outcome a rebuild replaced, since other rules than today's had decided it: what the
-- audit rows of the batches before say of them, corrected. What a rebuild only repairs has no row.
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
    primary key (topic_no, partition, "offset", batch_id)
);
create index on traffic.rebuilt_events (batch_id);

-- Every date that a rebuild wrote to, with the numbers of rows; where nothing differed there is none.
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
