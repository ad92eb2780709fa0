-- Outcomes of messages under today's rules. `by_others`: other rules had decided the message.
-- `waiting`: the message is in quarantine.
drop table if exists pg_temp.rebuilt_outcomes, pg_temp.event_changes, pg_temp.reading_changes,
    pg_temp.neighbours;
create temporary table rebuilt_outcomes (
    topic_no smallint not null,
    partition integer not null,
    "offset" bigint not null,
    event_no smallint not null,
    batch_id bigint not null,
    by_others boolean not null,
    waiting boolean not null,
    broker_timestamp timestamptz not null,  -- at most the arrival
    order_time timestamptz not null,
    event_date date not null,
    sensor_id uuid,
    "timestamp" timestamptz,
    --| measures {m} {type},
    quality_score double precision,
    quality_flags smallint,
    format smallint,
    reason text,
    detail text,
    -- Values of rejected messages, for quarantine.
    key bytea,
    value bytea,
    sent_at timestamptz,
    arrived_at timestamptz,
    interval_s numeric
);
create temporary table event_changes (
    kind text not null,
    topic_no smallint not null,
    partition integer not null,
    "offset" bigint not null,
    event_no smallint not null,
    was_batch_id bigint,
    was_date date,
    was_sensor_id uuid,
    was_timestamp timestamptz,
    recorded boolean not null
);
create temporary table reading_changes (
    sensor_id uuid not null,
    "timestamp" timestamptz not null,
    --| measures {m} {type},
    quality_score double precision,
    quality_flags smallint,
    broker_timestamp timestamptz,
    order_time timestamptz,
    topic_no smallint,
    partition integer,
    "offset" bigint,
    event_no smallint,
    interval_s numeric,
    kind text
)
;
-- Stored events at sensors and times of other dates that a moved event leaves or joins.
create temporary table neighbours (like pg_temp.reading_changes)
