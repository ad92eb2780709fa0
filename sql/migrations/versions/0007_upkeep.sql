-- A folded audit row stands for several batches of one log that followed one another. No other audit
-- row of the log has a number between its first and its last, so a number leads to one audit row.
alter table traffic.micro_batches
    add column last_batch_id bigint check (last_batch_id > batch_id),
    add column batches integer not null default 1 check (batches > 0),
    add column run_ids text[],
    add column first_committed_at timestamptz,
    -- What retention dropped of the rows that this one counts, so that the sums can be proved still.
    add column dropped_raw bigint not null default 0,
    add column dropped_processed jsonb not null default '{}';
create index micro_batches_by_number on traffic.micro_batches (topic_no, partition, batch_id);
create index on traffic.micro_batches using gin (run_ids) where run_ids is not null;

create table traffic.folded_logs (
    topic_no smallint not null references traffic.topics,
    partition integer not null,
    next_offset bigint not null,
    updated_at timestamptz not null default now(),
    primary key (topic_no, partition)
);

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

-- Below these offsets messages may be gone from raw_events, and events from processed_events.
create view traffic.dropped_logs as
select topic_no, partition,
       max(next_offset) filter (where table_name = 'raw_events') as raw_to,
       max(next_offset) filter (where table_name = 'processed_events') as processed_to
from traffic.dropped_rows
group by topic_no, partition;

-- Drops a partition that still has the number of rows that was counted before; the caller writes down
-- in the same transaction what is gone. Readers are not waited for longer than lock_timeout. The
-- writing role owns no table, hence security definer.
create function traffic.drop_partition(parent text, day date, counted bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    daily constant boolean := parent = 'raw_events';
    child constant text := parent || to_char(day, case when daily then '_YYYYMMDD' else '_YYYYMM' end);
    upper_bound constant timestamptz :=
        (day + case when daily then interval '1 day' else interval '1 month' end)::timestamp
        at time zone 'UTC';
    stored bigint;
begin
    if parent not in ('raw_events', 'processed_events', 'traffic_readings') then
        raise exception 'traffic.% is not partitioned by date', parent;
    end if;
    if upper_bound > now() then
        raise exception 'traffic.% is not over yet', child;
    end if;
    if not exists (
        select 1 from pg_inherits
        where inhrelid = to_regclass('traffic.' || child)
          and inhparent = to_regclass('traffic.' || parent)
    ) then
        raise exception 'traffic.% is no partition of %', child, parent;
    end if;
    -- Nobody writes to it from here on; readers go on.
    execute format('lock table traffic.%I in share mode', child);
    execute format('select count(*) from traffic.%I', child) into stored;
    if stored <> counted then
        return null;
    end if;
    -- Batches follow one another closely, and each holds the parent for a second: it takes some tries
    -- to come in between. They last no longer than the caller's lock_timeout, or others would wait.
    for try in 1..6 loop
        begin
            -- From here to the end of the transaction everybody else waits.
            execute format('alter table traffic.%I detach partition traffic.%I', parent, child);
            execute format('drop table traffic.%I', child);
            return child;
        exception when lock_not_available then
            if try = 6 then
                raise;
            end if;
            perform pg_sleep(0.1 * 2 ^ try);
        end;
    end loop;
end
$$;
revoke execute on function traffic.drop_partition(text, date, bigint) from public;

do $$
begin
    if exists (select 1 from pg_roles where rolname = 'traffic_ingest') then
        grant execute on function traffic.drop_partition(text, date, bigint) to traffic_ingest;
    end if;
end
$$;
