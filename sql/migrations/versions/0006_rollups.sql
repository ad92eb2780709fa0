-- What readings tell where no list does. Kept, so that a recomputation finds the same values.
alter table traffic.sensors
    add column inferred_interval_s integer check (inferred_interval_s > 0),
    add column inferred_free_flow_mph double precision check (inferred_free_flow_mph > 0);

-- What has changed since it was last folded: appended by whoever changes readings, in the same
-- transaction, and taken out by the fold that computes those buckets again. Never `on conflict do
-- nothing`: that loses a bucket which a running fold has just read.
create table traffic.dirty_buckets (
    dirty_no bigint generated always as identity primary key,
    sensor_ids uuid[] not null,
    buckets timestamptz[] not null,
    pairs integer not null generated always as (cardinality(buckets)) stored,
    appended_at timestamptz not null default now(),
    check (cardinality(sensor_ids) = cardinality(buckets))
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
-- UUIDs do not compress, and the rows live for seconds.
alter table traffic.dirty_buckets
    alter column sensor_ids set storage external,
    alter column buckets set storage external;

-- No foreign key to sensors in these tables: every reading has one, and roll-ups follow readings.
-- Room in the pages: a row is written again as long as its bucket, hour or day goes on.
create table traffic.readings_5min (
    sensor_id uuid not null,
    bucket timestamptz not null,
    interval_s integer,
    samples integer not null,
    expected_samples double precision,
    completeness double precision,
    with_volume integer not null,
    sum_volume bigint not null,
    vehicles double precision,
    flow double precision,
    sum_q bigint not null,
    sum_qv double precision not null,
    speed double precision,
    min_speed double precision,
    max_speed double precision,
    with_occupancy integer not null,
    sum_occupancy double precision not null,
    occupancy double precision,
    good integer not null,
    good_share double precision not null,
    observed integer not null,
    vmt double precision,
    vht double precision,
    free_vht double precision,
    delay_h double precision,
    travel_time_index double precision,
    updated_at timestamptz not null default now(),
    primary key (sensor_id, bucket)
) with (fillfactor = 80);
create index on traffic.readings_5min (bucket);

create table traffic.readings_hourly (
    sensor_id uuid not null,
    hour timestamptz not null,
    interval_s integer,
    samples integer not null,
    expected_samples double precision,
    completeness double precision,
    with_volume integer not null,
    sum_volume bigint not null,
    vehicles double precision,
    flow double precision,
    sum_q bigint not null,
    sum_qv double precision not null,
    speed double precision,
    min_speed double precision,
    max_speed double precision,
    with_occupancy integer not null,
    sum_occupancy double precision not null,
    occupancy double precision,
    good integer not null,
    good_share double precision not null,
    observed integer not null,
    observed_share double precision not null,
    vmt double precision,
    vht double precision,
    free_vht double precision,
    delay_h double precision,
    travel_time_index double precision,
    updated_at timestamptz not null default now(),
    primary key (sensor_id, hour)
) with (fillfactor = 70);
create index on traffic.readings_hourly (hour);

create table traffic.readings_daily (
    sensor_id uuid not null,
    date date not null,
    interval_s integer,
    samples integer not null,
    expected_samples double precision,
    completeness double precision,
    with_volume integer not null,
    sum_volume bigint not null,
    vehicles double precision,
    flow double precision,
    sum_q bigint not null,
    sum_qv double precision not null,
    speed double precision,
    min_speed double precision,
    max_speed double precision,
    with_occupancy integer not null,
    sum_occupancy double precision not null,
    occupancy double precision,
    good integer not null,
    good_share double precision not null,
    observed integer not null,
    observed_share double precision not null,
    vmt double precision,
    vht double precision,
    free_vht double precision,
    delay_h double precision,
    travel_time_index double precision,
    updated_at timestamptz not null default now(),
    primary key (sensor_id, date)
) with (fillfactor = 70);
create index on traffic.readings_daily (date);
