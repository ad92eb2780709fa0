-- The buckets of one roll-up: adjacent 5-minute buckets form one range.
create temporary table if not exists dirty_ranges (
    sensor_id uuid not null,
    first timestamptz not null,
    until timestamptz not null
) on commit delete rows
