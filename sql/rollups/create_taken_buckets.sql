-- What a fold computes again: 5-minute buckets that lie next to each other, as one range.
create temporary table if not exists dirty_ranges (
    sensor_id uuid not null,
    first timestamptz not null,
    until timestamptz not null
) on commit delete rows
