create temporary table if not exists incoming_readings (
    sensor_id uuid not null,
    "timestamp" timestamptz not null,
    --| measures {m} {type},
    quality_score double precision not null,
    quality_flags smallint not null,
    broker_timestamp timestamptz not null,
    topic_no smallint not null,
    partition integer not null,
    "offset" bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    event_no smallint not null,
    interval_s numeric,
    order_time timestamptz
) on commit delete rows
