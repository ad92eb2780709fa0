-- Bring the tables of version 0.1.0 (revision 0012) to the baseline. The files of the baseline with the
-- functions and the event views follow in the same transaction.
--
-- All locks come first, so that nothing is done in vain when a reader is in the way. Views come before
-- their tables, as readers lock them.
lock table traffic.processed_events_detail, traffic.traffic_readings_detail,
    traffic.quarantined_events_detail, traffic.processed_events, traffic.traffic_readings,
    traffic.quarantined_events, traffic.replayed_events, traffic.rebuilt_events,
    traffic.micro_batches in access exclusive mode;

-- A constant default and a nullable column are facts of the catalogue: no row is read or written.
alter table traffic.processed_events
    add column event_no smallint not null default 0,
    add column interval_s numeric;
alter table traffic.traffic_readings
    add column event_no smallint not null default 0,
    add column interval_s numeric;

-- These tables hold only rejected, reprocessed and backfilled messages. Their keys are built anew.
alter table traffic.quarantined_events
    add column event_no smallint not null default 0,
    drop constraint quarantined_events_pkey;
alter table traffic.quarantined_events add primary key (topic_no, partition, "offset", event_no);
alter table traffic.replayed_events
    add column event_no smallint not null default 0,
    drop constraint replayed_events_topic_no_partition_offset_key;
alter table traffic.replayed_events add unique (topic_no, partition, "offset", event_no);
alter table traffic.rebuilt_events
    add column event_no smallint not null default 0,
    drop constraint rebuilt_events_pkey;
alter table traffic.rebuilt_events
    add primary key (topic_no, partition, "offset", event_no, batch_id);

-- A change of type writes the table anew, with its indexes, without leaving dead rows. PostgreSQL
-- forbids it where a view of the user reads the column; then each row is updated.
alter table traffic.micro_batches
    drop constraint micro_batches_kind_check,
    alter column kind set default 'ingest';
drop index traffic.micro_batches_topic_no_partition_batch_id_idx;
do $$
begin
    alter table traffic.micro_batches alter column kind type text using
        case kind when 'window' then 'ingest' when 'replay' then 'reprocess'
                  when 'rebuild' then 'backfill' end;
exception when feature_not_supported then
    update traffic.micro_batches
    set kind = case kind when 'window' then 'ingest' when 'replay' then 'reprocess'
                         when 'rebuild' then 'backfill' end;
end
$$;
alter table traffic.micro_batches add check (kind in ('ingest', 'reprocess', 'backfill'));
create index on traffic.micro_batches (topic_no, partition, batch_id) where kind <> 'ingest';

update public.traffic_alembic_version set version_num = '0013';
