-- The ledger of partition generations, the audit of batches, and the accounts of losses and drops.
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
-- One active generation per partition of a topic. Earlier generations keep their own topic_no.
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
    -- The writer of the row. Rows of ingest tile the offsets of a partition generation. The others
    -- correct earlier rows by signed differences, over a range that holds the offsets they changed.
    kind text not null default 'ingest' check (kind in ('ingest', 'reprocess', 'backfill')),
    -- A compacted row stands for consecutive batches of one partition generation. No other row of
    -- the generation has a number between its first and its last, so a number leads to one row.
    last_batch_id bigint check (last_batch_id > batch_id),
    batches integer not null default 1 check (batches > 0),
    run_ids text[],
    first_committed_at timestamptz,
    -- Rows that this row counts and retention dropped, so that the sums can still be proved.
    dropped_raw bigint not null default 0,
    dropped_processed jsonb not null default '{}',
    primary key (batch_id, topic_no, partition)
);
create index on traffic.micro_batches (topic_no, partition, first_offset);
create index on traffic.micro_batches (run_id);
create index on traffic.micro_batches using gin (event_dates);
create index on traffic.micro_batches (topic_no, partition, batch_id) where kind <> 'ingest';
create index micro_batches_by_number on traffic.micro_batches (topic_no, partition, batch_id);
create index on traffic.micro_batches using gin (run_ids) where run_ids is not null;
-- Checks ask every half hour for the batches since the last time.
create index on traffic.micro_batches (committed_at);

-- Progress of compacting the audit.
create table traffic.folded_logs (
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    next_offset bigint not null,
    updated_at timestamptz not null default now(),
    primary key (topic_no, partition)
);

-- Offsets that Kafka deleted before they were read.
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

-- Partitions that retention dropped, with the number of their rows.
create table traffic.dropped_rows (
    table_name text not null
        check (table_name in ('raw_events', 'processed_events', 'traffic_readings')),
    lower_bound timestamptz not null,
    upper_bound timestamptz not null,
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    next_offset bigint not null,
    rows bigint not null,
    newest_arrival timestamptz not null,
    archives text[] not null default '{}',
    dropped_at timestamptz not null default now(),
    primary key (table_name, lower_bound, topic_no, partition)
);

-- Retention may have dropped messages below raw_to, and events below processed_to.
create view traffic.dropped_logs as
select topic_no, partition,
       max(next_offset) filter (where table_name = 'raw_events') as raw_to,
       max(next_offset) filter (where table_name = 'processed_events') as processed_to
from traffic.dropped_rows
group by topic_no, partition;
