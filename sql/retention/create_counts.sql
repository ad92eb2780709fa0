-- Rows of a partition for the accounting, by audit row and event date.
create temporary table if not exists dropping (
    topic_no smallint not null,
    partition integer not null,
    audit_id bigint,
    day date,
    rows bigint not null,
    next_offset bigint not null,
    newest_arrival timestamptz
)
