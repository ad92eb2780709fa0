-- Tables derived from readings: counts, roll-ups and detector health. All can be computed again.

-- Changes that are not rolled up yet. Each change of readings appends rows in its transaction, and the
-- roll-up that computes the buckets removes them. Never `on conflict do nothing`: that loses
-- a bucket which a running roll-up has just read.
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

-- The number of readings of all sensors in each ten seconds and each quarter of an hour. Together with
-- reading_changes it is exact in every snapshot. Local days begin at a quarter of an hour in every
-- time zone of today.
create table traffic.reading_counts (
    span_s smallint not null check (span_s in (10, 900)),
    start timestamptz not null,
    readings bigint not null,
    primary key (span_s, start)
) with (fillfactor = 70);

-- Each transaction that adds or removes readings appends rows here, and a roll-up adds them up. 0 asks
-- the roll-up to count again.
create table traffic.reading_changes (
    start timestamptz not null,
    added bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
create index on traffic.reading_changes (start);

-- Roll-ups have no foreign key to sensors: every reading has one, and roll-ups follow readings.
-- Pages keep free space, because a row is updated until its bucket, hour or day is over.
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

-- One diagnosis per sensor and local day.
create table traffic.detector_health (
    sensor_id uuid not null references traffic.sensors,
    date date not null,
    diagnosis text not null check (diagnosis in (
        'no_data', 'insufficient_data', 'card_off', 'high_value', 'intermittent', 'constant', 'good',
        'not_evaluated')),
    seen text not null,
    field text not null,
    tests_not_evaluated text[] not null default '{}',
    scope text check (scope in ('detector', 'station', 'feed')),
    rural boolean not null,
    interval_s integer check (interval_s > 0),
    interval_inferred boolean not null,
    readings integer not null,
    samples integer not null,
    expected_samples integer check (expected_samples > 0),
    samples_percent double precision,
    zero_occupancy_percent double precision,
    high_occupancy_percent double precision,
    occupancy_without_volume_percent double precision,
    volume_without_occupancy_percent double precision,
    constant_samples integer,
    constant_occupancy double precision,
    constant_from timestamptz,
    without_speed_percent double precision,
    vehicles bigint,
    longest_gap_s integer,
    last_reading timestamptz,
    computed_at timestamptz not null,
    primary key (sensor_id, date)
);
create index on traffic.detector_health (date, diagnosis);

-- The time of the last diagnosis of a date. A diagnosis does not update rows of detector_health with equal
-- values.
create table traffic.diagnosed_dates (
    date date primary key,
    diagnosed_at timestamptz not null default now()
);
