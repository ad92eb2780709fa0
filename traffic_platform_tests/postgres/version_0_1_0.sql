-- A filled database of version 0.1.0 (revision 0012): a dump by pg_dump of PostgreSQL 18, made after an ingest
-- run of every kind of message, reprocessing, a backfill, publishing, retention, roll-ups and a loss.
-- Comments on partitions, which repeat those of their table, are left out. The key for signatures is invented.
CREATE SCHEMA traffic;
CREATE FUNCTION traffic.drop_partition(parent text, day date, counted bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
CREATE FUNCTION traffic.ensure_partition(parent text, day date) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    daily constant boolean := parent = 'raw_events';
    lower_day constant date := case when daily then day else date_trunc('month', day)::date end;
    upper_day constant date :=
        case when daily then day + 1 else (date_trunc('month', day) + interval '1 month')::date end;
    child constant text :=
        parent || to_char(lower_day, case when daily then '_YYYYMMDD' else '_YYYYMM' end);
begin
    if parent not in ('raw_events', 'processed_events', 'traffic_readings') then
        raise exception 'traffic.% is not partitioned by date', parent;
    end if;
    perform set_config('lock_timeout', '2s', true);
    perform pg_advisory_xact_lock(hashtextextended('traffic.' || child, 0));
    if exists (
        select 1 from pg_inherits
        where inhrelid = to_regclass('traffic.' || child)
          and inhparent = to_regclass('traffic.' || parent)
    ) then
        return child;
    end if;
    execute format('create table if not exists traffic.%I (like traffic.%I including all)', child, parent);
    if parent = 'traffic_readings' then
        execute format('alter table traffic.%I add foreign key (sensor_id) references traffic.sensors', child);
    end if;
    execute format(
        'alter table traffic.%I attach partition traffic.%I for values from (%L) to (%L)',
        parent, child, lower_day || ' 00:00:00+00', upper_day || ' 00:00:00+00');
    return child;
end
$$;
CREATE FUNCTION traffic.find_api_keys(hashes bytea[]) RETURNS TABLE(hash bytea, key_id bigint, scopes text[])
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select k.hash, k.key_id, k.scopes
    from traffic.api_keys k
    where k.hash = any (hashes)
      and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > statement_timestamp())
$$;
CREATE FUNCTION traffic.reading_id(sensor_id uuid, "timestamp" timestamp with time zone) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    select md5(uuid_send(sensor_id)
               || int8send((extract(epoch from "timestamp" at time zone 'UTC') * 1000000)::bigint))::uuid
$$;
CREATE FUNCTION traffic.reading_json(sensor_id uuid, "timestamp" timestamp with time zone, speed double precision, volume integer, occupancy double precision, quality_score double precision) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    select concat(
        '{"id":"', traffic.reading_id(sensor_id, "timestamp"), '","sensor_id":"', sensor_id,
        '","timestamp":"', replace(("timestamp" at time zone 'UTC')::text, ' ', 'T'),
        'Z","speed":', coalesce(speed::text, 'null'), ',"volume":', coalesce(volume::text, 'null'),
        ',"occupancy":', coalesce(occupancy::text, 'null'), ',"quality_score":', quality_score, '}')
$$;
CREATE FUNCTION traffic.try_jsonb(value bytea) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
    return convert_from(value, 'UTF8')::jsonb;
exception when others then
    return null;
end
$$;
CREATE TABLE public.traffic_alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE traffic.api_keys (
    key_id bigint NOT NULL,
    name text NOT NULL,
    hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_check CHECK ((expires_at > created_at)),
    CONSTRAINT api_keys_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT api_keys_name_check CHECK (((name ~ '^[^[:cntrl:]]{1,100}$'::text) AND (name !~ '^[0-9]+$'::text))),
    CONSTRAINT api_keys_scopes_check CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['read'::text, 'export'::text, 'admin'::text])))
);
COMMENT ON TABLE traffic.api_keys IS 'Keys of the API, see docs/security.md. The keys themselves are not stored. Only the owner''s role sees this table; the API calls traffic.find_api_keys.';
COMMENT ON COLUMN traffic.api_keys.key_id IS 'Number of the key, for revoking, logs and metrics.';
COMMENT ON COLUMN traffic.api_keys.name IS 'Person or purpose; unique among keys that are not revoked.';
COMMENT ON COLUMN traffic.api_keys.hash IS 'SHA-256 of the key (32 bytes).';
COMMENT ON COLUMN traffic.api_keys.scopes IS 'Permissions: ''read'' (everything but exports), ''export'' (whole days), ''admin'' (no use yet).';
COMMENT ON COLUMN traffic.api_keys.created_at IS 'Time of creation.';
COMMENT ON COLUMN traffic.api_keys.expires_at IS 'Time when the key stops working; null: never.';
COMMENT ON COLUMN traffic.api_keys.revoked_at IS 'Time of the revocation; null: not revoked.';
ALTER TABLE traffic.api_keys ALTER COLUMN key_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME traffic.api_keys_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE SEQUENCE traffic.batch_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE traffic.detector_health (
    sensor_id uuid NOT NULL,
    date date NOT NULL,
    diagnosis text NOT NULL,
    seen text NOT NULL,
    field text NOT NULL,
    tests_not_evaluated text[] DEFAULT '{}'::text[] NOT NULL,
    scope text,
    rural boolean NOT NULL,
    interval_s integer,
    interval_inferred boolean NOT NULL,
    readings integer NOT NULL,
    samples integer NOT NULL,
    expected_samples integer,
    samples_percent double precision,
    zero_occupancy_percent double precision,
    high_occupancy_percent double precision,
    occupancy_without_volume_percent double precision,
    volume_without_occupancy_percent double precision,
    constant_samples integer,
    constant_occupancy double precision,
    constant_from timestamp with time zone,
    without_speed_percent double precision,
    vehicles bigint,
    longest_gap_s integer,
    last_reading timestamp with time zone,
    computed_at timestamp with time zone NOT NULL,
    CONSTRAINT detector_health_diagnosis_check CHECK ((diagnosis = ANY (ARRAY['no_data'::text, 'insufficient_data'::text, 'card_off'::text, 'high_value'::text, 'intermittent'::text, 'constant'::text, 'good'::text, 'not_evaluated'::text]))),
    CONSTRAINT detector_health_expected_samples_check CHECK ((expected_samples > 0)),
    CONSTRAINT detector_health_interval_s_check CHECK ((interval_s > 0)),
    CONSTRAINT detector_health_scope_check CHECK ((scope = ANY (ARRAY['detector'::text, 'station'::text, 'feed'::text])))
);
COMMENT ON TABLE traffic.detector_health IS 'Diagnosis of each sensor and local day, from the readings between 05:00 and 21:59. See docs/detector-health.md.';
COMMENT ON COLUMN traffic.detector_health.sensor_id IS 'Sensor, see sensors.';
COMMENT ON COLUMN traffic.detector_health.date IS 'Local day in the platform''s time zone.';
COMMENT ON COLUMN traffic.detector_health.diagnosis IS 'First that applies: ''no_data'', ''insufficient_data'', ''card_off'', ''high_value'', ''intermittent'', ''constant'', ''good''; or ''not_evaluated''.';
COMMENT ON COLUMN traffic.detector_health.seen IS 'The observation in words.';
COMMENT ON COLUMN traffic.detector_health.field IS 'Parts to inspect in the field or elsewhere; empty: nothing to do.';
COMMENT ON COLUMN traffic.detector_health.tests_not_evaluated IS 'Tests that could not run, by the name of their diagnosis: a measure is missing, or the day is not over.';
COMMENT ON COLUMN traffic.detector_health.scope IS 'Extent of the silence for ''no_data'': this ''detector'', its whole ''station'' or the whole ''feed''; else null.';
COMMENT ON COLUMN traffic.detector_health.rural IS 'True: the higher threshold for card_off applied.';
COMMENT ON COLUMN traffic.detector_health.interval_s IS 'Time that a reading covers (seconds), for the expected samples; null: unknown.';
COMMENT ON COLUMN traffic.detector_health.interval_inferred IS 'True: interval_s is the most frequent gap between readings, not imported.';
COMMENT ON COLUMN traffic.detector_health.readings IS 'Number of readings from 05:00 to 21:59.';
COMMENT ON COLUMN traffic.detector_health.samples IS 'Number of these with volume and occupancy, or with the only one of them that the sensor reports. Readings with volume 0 and no occupancy count too.';
COMMENT ON COLUMN traffic.detector_health.expected_samples IS 'Number of samples without any gap: 17 hours / interval_s; null: interval unknown.';
COMMENT ON COLUMN traffic.detector_health.samples_percent IS 'samples / expected_samples (percent).';
COMMENT ON COLUMN traffic.detector_health.zero_occupancy_percent IS 'Share with occupancy 0 among readings with occupancy (percent).';
COMMENT ON COLUMN traffic.detector_health.high_occupancy_percent IS 'Share with occupancy above TRAFFIC_HEALTH_HIGH_OCCUPANCY among readings with occupancy (percent).';
COMMENT ON COLUMN traffic.detector_health.occupancy_without_volume_percent IS 'Share with volume 0 and occupancy above 0 among readings with both (percent).';
COMMENT ON COLUMN traffic.detector_health.volume_without_occupancy_percent IS 'Share with occupancy 0 and volume above 0 among readings with both (percent).';
COMMENT ON COLUMN traffic.detector_health.constant_samples IS 'Longest series of 5-minute samples with the same occupancy, not 0 (number of samples).';
COMMENT ON COLUMN traffic.detector_health.constant_occupancy IS 'Occupancy of that series (percent).';
COMMENT ON COLUMN traffic.detector_health.constant_from IS 'Time of the first reading in that series.';
COMMENT ON COLUMN traffic.detector_health.without_speed_percent IS 'Share without speed among readings with volume above 0 (percent). For information, not tested.';
COMMENT ON COLUMN traffic.detector_health.vehicles IS 'Vehicles from 05:00 to 21:59: sum of volume x interval_s / 3600. For information, not tested.';
COMMENT ON COLUMN traffic.detector_health.longest_gap_s IS 'Longest gap without a reading from 05:00 to 22:00, if at least 5 minutes (seconds); else null.';
COMMENT ON COLUMN traffic.detector_health.last_reading IS 'Time of the newest reading up to the end of the day.';
COMMENT ON COLUMN traffic.detector_health.computed_at IS 'Time when the row was first computed with these values.';
CREATE TABLE traffic.sensors (
    sensor_id uuid NOT NULL,
    external_id text NOT NULL,
    name text,
    road text,
    direction text,
    lanes smallint,
    milepost double precision,
    length_mi double precision,
    latitude double precision,
    longitude double precision,
    station_id text,
    interval_s integer,
    free_flow_mph double precision,
    registered_at timestamp with time zone DEFAULT now() NOT NULL,
    origin text NOT NULL,
    rural boolean,
    inferred_interval_s integer,
    inferred_free_flow_mph double precision,
    CONSTRAINT sensors_external_id_check CHECK (((char_length(external_id) >= 1) AND (char_length(external_id) <= 255))),
    CONSTRAINT sensors_free_flow_mph_check CHECK ((free_flow_mph > (0)::double precision)),
    CONSTRAINT sensors_inferred_free_flow_mph_check CHECK ((inferred_free_flow_mph > (0)::double precision)),
    CONSTRAINT sensors_inferred_interval_s_check CHECK ((inferred_interval_s > 0)),
    CONSTRAINT sensors_interval_s_check CHECK ((interval_s > 0)),
    CONSTRAINT sensors_lanes_check CHECK ((lanes > 0)),
    CONSTRAINT sensors_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT sensors_length_mi_check CHECK ((length_mi > (0)::double precision)),
    CONSTRAINT sensors_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))),
    CONSTRAINT sensors_origin_check CHECK ((origin = ANY (ARRAY['imported'::text, 'seen'::text])))
);
COMMENT ON TABLE traffic.sensors IS 'Detectors, imported from a table or registered when first seen in the stream.';
COMMENT ON COLUMN traffic.sensors.sensor_id IS 'UUID of the sensor: its own, or the UUIDv5 of external_id in the platform''s namespace.';
COMMENT ON COLUMN traffic.sensors.external_id IS 'Identifier in the feed, 1 to 255 characters.';
COMMENT ON COLUMN traffic.sensors.name IS 'Name for people.';
COMMENT ON COLUMN traffic.sensors.road IS 'Name of the road.';
COMMENT ON COLUMN traffic.sensors.direction IS 'Direction of travel that the sensor measures.';
COMMENT ON COLUMN traffic.sensors.lanes IS 'Number of lanes that the sensor covers; 1 for a detector in one lane.';
COMMENT ON COLUMN traffic.sensors.milepost IS 'Position along the road (miles).';
COMMENT ON COLUMN traffic.sensors.length_mi IS 'Length of road that the readings stand for (miles).';
COMMENT ON COLUMN traffic.sensors.latitude IS 'Latitude (degrees, WGS 84).';
COMMENT ON COLUMN traffic.sensors.longitude IS 'Longitude (degrees, WGS 84).';
COMMENT ON COLUMN traffic.sensors.station_id IS 'Station that groups the detectors of one place.';
COMMENT ON COLUMN traffic.sensors.interval_s IS 'Time that one reading covers (seconds); null: not imported.';
COMMENT ON COLUMN traffic.sensors.free_flow_mph IS 'Free-flow speed (miles per hour); null: not imported.';
COMMENT ON COLUMN traffic.sensors.registered_at IS 'Time when the platform first registered the sensor.';
COMMENT ON COLUMN traffic.sensors.origin IS '''imported'' from a table, or ''seen'' in the stream.';
COMMENT ON COLUMN traffic.sensors.rural IS 'True: the road may be empty for most of a day, so card_off has a higher threshold; null counts as false.';
COMMENT ON COLUMN traffic.sensors.inferred_interval_s IS 'Most frequent gap between the sensor''s readings (seconds), used when interval_s is null.';
COMMENT ON COLUMN traffic.sensors.inferred_free_flow_mph IS '85th percentile of the sensor''s speeds in light flow (miles per hour), used when free_flow_mph is null.';
CREATE VIEW traffic.detector_health_detail AS
 SELECT h.sensor_id,
    h.date,
    h.diagnosis,
    h.seen,
    h.field,
    h.tests_not_evaluated,
    h.scope,
    h.rural,
    h.interval_s,
    h.interval_inferred,
    h.readings,
    h.samples,
    h.expected_samples,
    h.samples_percent,
    h.zero_occupancy_percent,
    h.high_occupancy_percent,
    h.occupancy_without_volume_percent,
    h.volume_without_occupancy_percent,
    h.constant_samples,
    h.constant_occupancy,
    h.constant_from,
    h.without_speed_percent,
    h.vehicles,
    h.longest_gap_s,
    h.last_reading,
    h.computed_at,
    s.external_id,
    s.name AS sensor_name,
    s.road,
    s.direction,
    s.milepost,
    s.station_id,
    s.origin,
    since.date AS since,
    good.date AS last_good
   FROM ((((traffic.detector_health h
     JOIN traffic.sensors s USING (sensor_id))
     LEFT JOIN LATERAL ( SELECT p.date
           FROM traffic.detector_health p
          WHERE ((p.sensor_id = h.sensor_id) AND (p.date < h.date) AND (p.diagnosis <> ALL (ARRAY[h.diagnosis, 'not_evaluated'::text])))
          ORDER BY p.date DESC
         LIMIT 1) before ON (true))
     LEFT JOIN LATERAL ( SELECT p.date
           FROM traffic.detector_health p
          WHERE ((p.sensor_id = h.sensor_id) AND (p.date > COALESCE(before.date, '-infinity'::date)) AND (p.diagnosis = h.diagnosis))
          ORDER BY p.date
         LIMIT 1) since ON (true))
     LEFT JOIN LATERAL ( SELECT p.date
           FROM traffic.detector_health p
          WHERE ((p.sensor_id = h.sensor_id) AND (p.date <= h.date) AND (p.diagnosis = 'good'::text))
          ORDER BY p.date DESC
         LIMIT 1) good ON (true));
CREATE TABLE traffic.diagnosed_dates (
    date date NOT NULL,
    diagnosed_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE traffic.diagnosed_dates IS 'Dates with a diagnosis of their detectors. A date that received data after diagnosed_at is diagnosed again.';
COMMENT ON COLUMN traffic.diagnosed_dates.date IS 'Local day in the platform''s time zone.';
COMMENT ON COLUMN traffic.diagnosed_dates.diagnosed_at IS 'Time of the last diagnosis.';
CREATE TABLE traffic.dirty_buckets (
    dirty_no bigint NOT NULL,
    sensor_ids uuid[] NOT NULL,
    buckets timestamp with time zone[] NOT NULL,
    pairs integer GENERATED ALWAYS AS (cardinality(buckets)) STORED NOT NULL,
    appended_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT dirty_buckets_check CHECK ((cardinality(sensor_ids) = cardinality(buckets)))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='500');
ALTER TABLE ONLY traffic.dirty_buckets ALTER COLUMN sensor_ids SET STORAGE EXTERNAL;
ALTER TABLE ONLY traffic.dirty_buckets ALTER COLUMN buckets SET STORAGE EXTERNAL;
COMMENT ON TABLE traffic.dirty_buckets IS 'Queue of 5-minute buckets to roll up. Each change of readings appends rows, and the roll-up that computes them removes them.';
COMMENT ON COLUMN traffic.dirty_buckets.dirty_no IS 'Number of the row, in the order of appending.';
COMMENT ON COLUMN traffic.dirty_buckets.sensor_ids IS 'Sensors, one per pair.';
COMMENT ON COLUMN traffic.dirty_buckets.buckets IS 'Starts of the 5 minutes (UTC), one per pair.';
COMMENT ON COLUMN traffic.dirty_buckets.pairs IS 'Number of pairs.';
COMMENT ON COLUMN traffic.dirty_buckets.appended_at IS 'Time of the change.';
ALTER TABLE traffic.dirty_buckets ALTER COLUMN dirty_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME traffic.dirty_buckets_dirty_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE traffic.dropped_rows (
    table_name text NOT NULL,
    lower_bound timestamp with time zone NOT NULL,
    upper_bound timestamp with time zone NOT NULL,
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    rows bigint NOT NULL,
    newest_arrival timestamp with time zone NOT NULL,
    archives text[] DEFAULT '{}'::text[] NOT NULL,
    dropped_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT dropped_rows_table_name_check CHECK ((table_name = ANY (ARRAY['raw_events'::text, 'processed_events'::text, 'traffic_readings'::text])))
);
COMMENT ON TABLE traffic.dropped_rows IS 'Rows that retention dropped: one row per dropped partition and partition generation with rows in it.';
COMMENT ON COLUMN traffic.dropped_rows.table_name IS '''raw_events'', ''processed_events'' or ''traffic_readings''.';
COMMENT ON COLUMN traffic.dropped_rows.lower_bound IS 'Start of the partition: by arrival for raw_events, else by event time.';
COMMENT ON COLUMN traffic.dropped_rows.upper_bound IS 'End of the partition, exclusive.';
COMMENT ON COLUMN traffic.dropped_rows.topic_no IS 'Generation of the rows'' topic, see topics; for readings, of the winning messages.';
COMMENT ON COLUMN traffic.dropped_rows.partition IS 'Partition of the rows'' topic, from 0.';
COMMENT ON COLUMN traffic.dropped_rows.next_offset IS 'Highest offset among the rows, plus 1.';
COMMENT ON COLUMN traffic.dropped_rows.rows IS 'Number of dropped rows.';
COMMENT ON COLUMN traffic.dropped_rows.newest_arrival IS 'Arrival of the newest row in the whole partition.';
COMMENT ON COLUMN traffic.dropped_rows.archives IS 'Archive files that hold the rows; empty: none.';
COMMENT ON COLUMN traffic.dropped_rows.dropped_at IS 'Time of the last drop. Late data creates the partition again, and it is dropped again.';
CREATE VIEW traffic.dropped_logs AS
 SELECT topic_no,
    partition,
    max(next_offset) FILTER (WHERE (table_name = 'raw_events'::text)) AS raw_to,
    max(next_offset) FILTER (WHERE (table_name = 'processed_events'::text)) AS processed_to
   FROM traffic.dropped_rows
  GROUP BY topic_no, partition;
CREATE TABLE traffic.folded_logs (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE traffic.folded_logs IS 'Progress of compacting the audit: one row per partition generation.';
COMMENT ON COLUMN traffic.folded_logs.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.folded_logs.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.folded_logs.next_offset IS 'First offset whose audit rows are not compacted yet. Rows below it are compacted as far as possible.';
COMMENT ON COLUMN traffic.folded_logs.updated_at IS 'Time when next_offset last advanced.';
CREATE TABLE traffic.kafka_offsets (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    topic text NOT NULL,
    start_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    active boolean DEFAULT true NOT NULL,
    leader_epoch integer,
    last_seen_end bigint,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT kafka_offsets_check CHECK ((next_offset >= start_offset)),
    CONSTRAINT kafka_offsets_partition_check CHECK ((partition >= 0))
)
WITH (fillfactor='50');
COMMENT ON TABLE traffic.kafka_offsets IS 'The ledger: the progress of each partition generation. It advances only in the transaction that stores the rows or records a loss.';
COMMENT ON COLUMN traffic.kafka_offsets.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.kafka_offsets.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.kafka_offsets.topic IS 'Kafka''s name of the topic.';
COMMENT ON COLUMN traffic.kafka_offsets.start_offset IS 'First available offset when the platform began with this partition generation.';
COMMENT ON COLUMN traffic.kafka_offsets.next_offset IS 'First offset that is not stored yet.';
COMMENT ON COLUMN traffic.kafka_offsets.active IS 'True for the current generation of the partition.';
COMMENT ON COLUMN traffic.kafka_offsets.leader_epoch IS 'Kafka''s leader epoch of the last stored message, to detect a truncated partition.';
COMMENT ON COLUMN traffic.kafka_offsets.last_seen_end IS 'End offset of the partition at the last look.';
COMMENT ON COLUMN traffic.kafka_offsets.updated_at IS 'Time when next_offset last advanced.';
CREATE TABLE traffic.lost_ranges (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint,
    cause text NOT NULL,
    detected_at timestamp with time zone DEFAULT now() NOT NULL,
    acknowledged_at timestamp with time zone,
    CONSTRAINT lost_ranges_cause_check CHECK ((cause = ANY (ARRAY['retention'::text, 'truncation'::text, 'topic_recreated'::text]))),
    CONSTRAINT lost_ranges_check CHECK ((next_offset > first_offset))
);
COMMENT ON TABLE traffic.lost_ranges IS 'Offsets that Kafka deleted before the platform could read them.';
COMMENT ON COLUMN traffic.lost_ranges.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.lost_ranges.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.lost_ranges.first_offset IS 'First lost offset.';
COMMENT ON COLUMN traffic.lost_ranges.next_offset IS 'First offset after the loss; null: nobody can know it.';
COMMENT ON COLUMN traffic.lost_ranges.cause IS '''retention'', ''truncation'' or ''topic_recreated''.';
COMMENT ON COLUMN traffic.lost_ranges.detected_at IS 'Time when the platform detected the loss.';
COMMENT ON COLUMN traffic.lost_ranges.acknowledged_at IS 'Time when somebody acknowledged the loss. A check fails until then.';
CREATE TABLE traffic.micro_batches (
    batch_id bigint NOT NULL,
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    delivered bigint NOT NULL,
    raw bigint NOT NULL,
    processed bigint NOT NULL,
    quarantined bigint NOT NULL,
    echoes bigint DEFAULT 0 NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    event_dates date[] DEFAULT '{}'::date[] NOT NULL,
    date_counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    rules_version text NOT NULL,
    run_id text,
    committed_at timestamp with time zone DEFAULT now() NOT NULL,
    kind text DEFAULT 'window'::text NOT NULL,
    last_batch_id bigint,
    batches integer DEFAULT 1 NOT NULL,
    run_ids text[],
    first_committed_at timestamp with time zone,
    dropped_raw bigint DEFAULT 0 NOT NULL,
    dropped_processed jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT micro_batches_batches_check CHECK ((batches > 0)),
    CONSTRAINT micro_batches_check CHECK ((next_offset >= first_offset)),
    CONSTRAINT micro_batches_check1 CHECK ((last_batch_id > batch_id)),
    CONSTRAINT micro_batches_kind_check CHECK ((kind = ANY (ARRAY['window'::text, 'replay'::text, 'rebuild'::text])))
);
COMMENT ON TABLE traffic.micro_batches IS 'Audit rows: one row per committed micro-batch and partition. For hours that are over, maintenance compacts consecutive rows of a partition into one.';
COMMENT ON COLUMN traffic.micro_batches.batch_id IS 'Number of the micro-batch: one transaction with one or more partitions.';
COMMENT ON COLUMN traffic.micro_batches.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.micro_batches.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.micro_batches.first_offset IS 'next_offset of the ledger before the batch.';
COMMENT ON COLUMN traffic.micro_batches.next_offset IS 'next_offset of the ledger after the batch.';
COMMENT ON COLUMN traffic.micro_batches.delivered IS 'Number of messages that the broker delivered. The other offsets of the range are transaction markers, aborted or compacted records.';
COMMENT ON COLUMN traffic.micro_batches.raw IS 'Number of rows written to raw_events.';
COMMENT ON COLUMN traffic.micro_batches.processed IS 'Number of rows written to processed_events.';
COMMENT ON COLUMN traffic.micro_batches.quarantined IS 'Number of rows written to quarantined_events.';
COMMENT ON COLUMN traffic.micro_batches.echoes IS 'Number of skipped messages that the platform itself had published.';
COMMENT ON COLUMN traffic.micro_batches.inserted IS 'Number of processed events that created a reading.';
COMMENT ON COLUMN traffic.micro_batches.updated IS 'Number of processed events that repeat a reading with other values. Repeats within the batch count too.';
COMMENT ON COLUMN traffic.micro_batches.unchanged IS 'Number of processed events that left the values of a reading as they were: equal, or older than the stored event.';
COMMENT ON COLUMN traffic.micro_batches.event_dates IS 'Dates of the batch''s events, in the platform''s time zone.';
COMMENT ON COLUMN traffic.micro_batches.date_counts IS 'Numbers of raw, processed and quarantined messages by event date.';
COMMENT ON COLUMN traffic.micro_batches.rules_version IS 'Version of the rules that decided the results.';
COMMENT ON COLUMN traffic.micro_batches.run_id IS 'Dagster run that committed the batch; null: none.';
COMMENT ON COLUMN traffic.micro_batches.committed_at IS 'Time of the commit; of a compacted row, the last one.';
COMMENT ON COLUMN traffic.micro_batches.kind IS '''window'': an ingest run advanced the ledger over the range. ''replay'' (reprocessed messages) and ''rebuild'' (backfill): correct earlier rows by signed differences.';
COMMENT ON COLUMN traffic.micro_batches.last_batch_id IS 'Last batch of a compacted row, which stands for the partition''s batches from batch_id to this one; null: one batch.';
COMMENT ON COLUMN traffic.micro_batches.batches IS 'Number of batches that the row stands for.';
COMMENT ON COLUMN traffic.micro_batches.run_ids IS 'Dagster runs of the batches of a compacted row; null: one batch, or no run.';
COMMENT ON COLUMN traffic.micro_batches.first_committed_at IS 'Time of the first commit of a compacted row; null: one batch.';
COMMENT ON COLUMN traffic.micro_batches.dropped_raw IS 'Number of the rows counted in raw that retention has dropped.';
COMMENT ON COLUMN traffic.micro_batches.dropped_processed IS 'Numbers of rows of processed_events that retention has dropped, by event date.';
CREATE TABLE traffic.partition_leases (
    topic text NOT NULL,
    partition integer NOT NULL,
    backend_pid integer NOT NULL,
    backend_start timestamp with time zone NOT NULL,
    run_id text,
    renewed_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');
COMMENT ON TABLE traffic.partition_leases IS 'Leases on partitions: the process that ingests a partition, and until when.';
COMMENT ON COLUMN traffic.partition_leases.topic IS 'Kafka''s name of the topic.';
COMMENT ON COLUMN traffic.partition_leases.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.partition_leases.backend_pid IS 'Process id of the PostgreSQL backend that serves the holder.';
COMMENT ON COLUMN traffic.partition_leases.backend_start IS 'Start time of that process, to detect a reused process id.';
COMMENT ON COLUMN traffic.partition_leases.run_id IS 'Dagster run of the holder; null: none.';
COMMENT ON COLUMN traffic.partition_leases.renewed_at IS 'Time of the last renewal.';
COMMENT ON COLUMN traffic.partition_leases.expires_at IS 'Time after which a successor may end the holder''s connection.';
CREATE TABLE traffic.platform (
    singleton boolean DEFAULT true NOT NULL,
    platform_id uuid DEFAULT gen_random_uuid() NOT NULL,
    timezone text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT platform_singleton_check CHECK (singleton)
);
COMMENT ON TABLE traffic.platform IS 'Identity and fixed settings of this platform. One row.';
COMMENT ON COLUMN traffic.platform.singleton IS 'Always true, so that there is one row.';
COMMENT ON COLUMN traffic.platform.platform_id IS 'Identity of this platform, generated once.';
COMMENT ON COLUMN traffic.platform.timezone IS 'IANA time zone. Its days are the dates of partitions, roll-ups and the API. Fixed once data is stored.';
COMMENT ON COLUMN traffic.platform.created_at IS 'Time of the first migration.';
CREATE TABLE traffic.platform_keys (
    singleton boolean DEFAULT true NOT NULL,
    echo_key bytea NOT NULL,
    CONSTRAINT platform_keys_echo_key_check CHECK ((octet_length(echo_key) = 32)),
    CONSTRAINT platform_keys_singleton_check CHECK (singleton)
);
COMMENT ON TABLE traffic.platform_keys IS 'Key that signs the messages that the platform publishes. Hidden from the reading role.';
COMMENT ON COLUMN traffic.platform_keys.singleton IS 'Always true, so that there is one row.';
COMMENT ON COLUMN traffic.platform_keys.echo_key IS 'Secret for the signature in the header of published messages (bytes).';
CREATE TABLE traffic.processed_events (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    sensor_id uuid NOT NULL,
    "timestamp" timestamp with time zone NOT NULL,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision NOT NULL,
    quality_flags smallint NOT NULL,
    format smallint NOT NULL,
    batch_id bigint NOT NULL,
    CONSTRAINT processed_events_format_check CHECK ((format = ANY (ARRAY[1, 2])))
)
PARTITION BY RANGE ("timestamp");
COMMENT ON TABLE traffic.processed_events IS 'Every valid event: decoded, with its sensor and the results of the quality tests.';
COMMENT ON COLUMN traffic.processed_events.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.processed_events.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.processed_events."offset" IS 'Kafka offset in the partition.';
COMMENT ON COLUMN traffic.processed_events.sensor_id IS 'Sensor, see sensors.';
COMMENT ON COLUMN traffic.processed_events."timestamp" IS 'Start of the interval that the measures cover (UTC, to the microsecond).';
COMMENT ON COLUMN traffic.processed_events.speed IS 'Mean speed (miles per hour).';
COMMENT ON COLUMN traffic.processed_events.volume IS 'Flow rate (vehicles per hour).';
COMMENT ON COLUMN traffic.processed_events.occupancy IS 'Share of the time that the detector is occupied (percent).';
COMMENT ON COLUMN traffic.processed_events.quality_score IS 'Quality tests passed / tests that apply (0 to 1).';
COMMENT ON COLUMN traffic.processed_events.quality_flags IS 'Failed quality tests as bits: 1 volume > 3060 vehicles per hour, 2 occupancy > 95 percent, 4 speed > 100 mph, 8 speed < 5 mph, 16 speed 0 with volume, 32 speed without volume, 64 occupancy without volume.';
COMMENT ON COLUMN traffic.processed_events.format IS 'Message format: 1 flat, 2 nested.';
COMMENT ON COLUMN traffic.processed_events.batch_id IS 'Micro-batch that stored the row, see micro_batches.';
CREATE TABLE traffic.processed_events_202510 (
    topic_no smallint CONSTRAINT processed_events_topic_no_not_null NOT NULL,
    partition integer CONSTRAINT processed_events_partition_not_null NOT NULL,
    "offset" bigint CONSTRAINT processed_events_offset_not_null NOT NULL,
    sensor_id uuid CONSTRAINT processed_events_sensor_id_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT processed_events_timestamp_not_null NOT NULL,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision CONSTRAINT processed_events_quality_score_not_null NOT NULL,
    quality_flags smallint CONSTRAINT processed_events_quality_flags_not_null NOT NULL,
    format smallint CONSTRAINT processed_events_format_not_null NOT NULL,
    batch_id bigint CONSTRAINT processed_events_batch_id_not_null NOT NULL,
    CONSTRAINT processed_events_format_check CHECK ((format = ANY (ARRAY[1, 2])))
);
CREATE TABLE traffic.processed_events_202511 (
    topic_no smallint CONSTRAINT processed_events_topic_no_not_null NOT NULL,
    partition integer CONSTRAINT processed_events_partition_not_null NOT NULL,
    "offset" bigint CONSTRAINT processed_events_offset_not_null NOT NULL,
    sensor_id uuid CONSTRAINT processed_events_sensor_id_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT processed_events_timestamp_not_null NOT NULL,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision CONSTRAINT processed_events_quality_score_not_null NOT NULL,
    quality_flags smallint CONSTRAINT processed_events_quality_flags_not_null NOT NULL,
    format smallint CONSTRAINT processed_events_format_not_null NOT NULL,
    batch_id bigint CONSTRAINT processed_events_batch_id_not_null NOT NULL,
    CONSTRAINT processed_events_format_check CHECK ((format = ANY (ARRAY[1, 2])))
);
CREATE TABLE traffic.processed_events_202611 (
    topic_no smallint CONSTRAINT processed_events_topic_no_not_null NOT NULL,
    partition integer CONSTRAINT processed_events_partition_not_null NOT NULL,
    "offset" bigint CONSTRAINT processed_events_offset_not_null NOT NULL,
    sensor_id uuid CONSTRAINT processed_events_sensor_id_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT processed_events_timestamp_not_null NOT NULL,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision CONSTRAINT processed_events_quality_score_not_null NOT NULL,
    quality_flags smallint CONSTRAINT processed_events_quality_flags_not_null NOT NULL,
    format smallint CONSTRAINT processed_events_format_not_null NOT NULL,
    batch_id bigint CONSTRAINT processed_events_batch_id_not_null NOT NULL,
    CONSTRAINT processed_events_format_check CHECK ((format = ANY (ARRAY[1, 2])))
);
CREATE TABLE traffic.topics (
    topic_no smallint NOT NULL,
    name text NOT NULL,
    kafka_topic_id text NOT NULL,
    cluster_id text NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE traffic.topics IS 'Generations of the topics that the platform has read. A recreated topic, or a topic with a truncated partition, gets a new row. topic_no and partition together name a partition generation.';
COMMENT ON COLUMN traffic.topics.topic_no IS 'Number of the generation, part of every event''s key.';
COMMENT ON COLUMN traffic.topics.name IS 'Kafka''s name of the topic.';
COMMENT ON COLUMN traffic.topics.kafka_topic_id IS 'Kafka''s UUID of the topic.';
COMMENT ON COLUMN traffic.topics.cluster_id IS 'Kafka''s identity of the cluster.';
COMMENT ON COLUMN traffic.topics.first_seen_at IS 'Time when the platform first read this generation.';
CREATE VIEW traffic.processed_events_detail AS
 SELECT t.name AS topic,
    p.topic_no,
    p.partition,
    p."offset",
    p.sensor_id,
    p."timestamp",
    p.speed,
    p.volume,
    p.occupancy,
    p.quality_score,
    p.quality_flags,
    p.format,
    p.batch_id,
    s.external_id,
    s.name AS sensor_name
   FROM ((traffic.processed_events p
     JOIN traffic.topics t USING (topic_no))
     LEFT JOIN traffic.sensors s USING (sensor_id));
CREATE TABLE traffic.publications (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    route text NOT NULL,
    next_position bigint NOT NULL,
    destination_topic text NOT NULL,
    destination_topic_id text NOT NULL,
    destination_partition integer NOT NULL,
    destination_next_offset bigint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT publications_route_check CHECK ((route = ANY (ARRAY['events'::text, 'replays'::text, 'quarantine'::text])))
)
WITH (fillfactor='50');
COMMENT ON TABLE traffic.publications IS 'Progress of publishing: one row per partition generation and route. A publisher continues from here.';
COMMENT ON COLUMN traffic.publications.topic_no IS 'Generation of the source topic, see topics.';
COMMENT ON COLUMN traffic.publications.partition IS 'Partition of the source topic, from 0.';
COMMENT ON COLUMN traffic.publications.route IS '''events'': processed events; ''replays'': events from reprocessed messages; ''quarantine'': rejected messages.';
COMMENT ON COLUMN traffic.publications.next_position IS 'First source offset that is not published yet; for ''replays'' the first such replay_no.';
COMMENT ON COLUMN traffic.publications.destination_topic IS 'Kafka''s name of the destination topic.';
COMMENT ON COLUMN traffic.publications.destination_topic_id IS 'Kafka''s UUID of the destination topic.';
COMMENT ON COLUMN traffic.publications.destination_partition IS 'Partition of the destination topic, from 0.';
COMMENT ON COLUMN traffic.publications.destination_next_offset IS 'Destination offset after the last published message. A publisher searches for its own messages from here.';
COMMENT ON COLUMN traffic.publications.updated_at IS 'Time when next_position last advanced.';
CREATE TABLE traffic.quarantined_events (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    key bytea,
    value bytea,
    broker_timestamp timestamp with time zone,
    quarantined_at timestamp with time zone NOT NULL,
    batch_id bigint NOT NULL,
    resolved_at timestamp with time zone,
    resolution text,
    event_date date NOT NULL,
    rules_version text
);
COMMENT ON TABLE traffic.quarantined_events IS 'Rejected messages with the reason. The original bytes are kept until you resolve them.';
COMMENT ON COLUMN traffic.quarantined_events.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.quarantined_events.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.quarantined_events."offset" IS 'Kafka offset in the partition.';
COMMENT ON COLUMN traffic.quarantined_events.reason IS 'Code of the reason, from a closed set.';
COMMENT ON COLUMN traffic.quarantined_events.detail IS 'The error in words, with the field and its value.';
COMMENT ON COLUMN traffic.quarantined_events.key IS 'Key of the message (bytes).';
COMMENT ON COLUMN traffic.quarantined_events.value IS 'Value of the message (bytes).';
COMMENT ON COLUMN traffic.quarantined_events.broker_timestamp IS 'Kafka''s timestamp of the message; null: it has none.';
COMMENT ON COLUMN traffic.quarantined_events.quarantined_at IS 'Time of the rejection.';
COMMENT ON COLUMN traffic.quarantined_events.batch_id IS 'Micro-batch that stored the row, see micro_batches.';
COMMENT ON COLUMN traffic.quarantined_events.resolved_at IS 'Time when the message became an event; null: it is still rejected.';
COMMENT ON COLUMN traffic.quarantined_events.resolution IS 'How the message became an event: ''replayed'' (reprocessed) or ''rebuilt'' (backfill).';
COMMENT ON COLUMN traffic.quarantined_events.event_date IS 'Date at which the audit counts the message: that of its event if readable, else that of its broker timestamp.';
COMMENT ON COLUMN traffic.quarantined_events.rules_version IS 'Version of the rules under which reprocessing or a backfill last rejected the message; null: the version of its batch.';
CREATE VIEW traffic.quarantined_events_detail AS
 SELECT t.name AS topic,
    q.topic_no,
    q.partition,
    q."offset",
    q.reason,
    q.detail,
    q.key,
    q.value,
    q.broker_timestamp,
    q.quarantined_at,
    q.batch_id,
    q.resolved_at,
    q.resolution,
    traffic.try_jsonb(q.value) AS value_json
   FROM (traffic.quarantined_events q
     JOIN traffic.topics t USING (topic_no));
CREATE TABLE traffic.raw_events (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    key bytea,
    value bytea,
    headers bytea[],
    broker_timestamp timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL,
    batch_id bigint NOT NULL
)
PARTITION BY RANGE (ingested_at);
COMMENT ON TABLE traffic.raw_events IS 'Every message with its original bytes, partitioned by day of arrival.';
COMMENT ON COLUMN traffic.raw_events.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.raw_events.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.raw_events."offset" IS 'Kafka offset in the partition.';
COMMENT ON COLUMN traffic.raw_events.key IS 'Key of the message (bytes).';
COMMENT ON COLUMN traffic.raw_events.value IS 'Value of the message (bytes); null: a tombstone.';
COMMENT ON COLUMN traffic.raw_events.headers IS 'Headers in their order: name, value, name, value … (bytes).';
COMMENT ON COLUMN traffic.raw_events.broker_timestamp IS 'Kafka''s timestamp of the message; null: it has none.';
COMMENT ON COLUMN traffic.raw_events.ingested_at IS 'Time when the platform fetched the message.';
COMMENT ON COLUMN traffic.raw_events.batch_id IS 'Micro-batch that stored the row, see micro_batches.';
CREATE TABLE traffic.raw_events_20261130 (
    topic_no smallint CONSTRAINT raw_events_topic_no_not_null NOT NULL,
    partition integer CONSTRAINT raw_events_partition_not_null NOT NULL,
    "offset" bigint CONSTRAINT raw_events_offset_not_null NOT NULL,
    key bytea,
    value bytea,
    headers bytea[],
    broker_timestamp timestamp with time zone,
    ingested_at timestamp with time zone CONSTRAINT raw_events_ingested_at_not_null NOT NULL,
    batch_id bigint CONSTRAINT raw_events_batch_id_not_null NOT NULL
);
CREATE TABLE traffic.raw_events_20261201 (
    topic_no smallint CONSTRAINT raw_events_topic_no_not_null NOT NULL,
    partition integer CONSTRAINT raw_events_partition_not_null NOT NULL,
    "offset" bigint CONSTRAINT raw_events_offset_not_null NOT NULL,
    key bytea,
    value bytea,
    headers bytea[],
    broker_timestamp timestamp with time zone,
    ingested_at timestamp with time zone CONSTRAINT raw_events_ingested_at_not_null NOT NULL,
    batch_id bigint CONSTRAINT raw_events_batch_id_not_null NOT NULL
);
CREATE VIEW traffic.raw_events_json AS
 SELECT t.name AS topic,
    r.topic_no,
    r.partition,
    r."offset",
    traffic.try_jsonb(r.value) AS value,
    octet_length(r.value) AS value_bytes,
    r.broker_timestamp,
    r.ingested_at,
    r.batch_id
   FROM (traffic.raw_events r
     JOIN traffic.topics t USING (topic_no));
CREATE TABLE traffic.reading_changes (
    start timestamp with time zone NOT NULL,
    added bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='500');
COMMENT ON TABLE traffic.reading_changes IS 'Changes to add to reading_counts: appended with the readings, removed by a roll-up.';
COMMENT ON COLUMN traffic.reading_changes.start IS 'Start of a span of 10 seconds.';
COMMENT ON COLUMN traffic.reading_changes.added IS 'Number of added readings; negative: removed.';
CREATE TABLE traffic.reading_counts (
    span_s smallint NOT NULL,
    start timestamp with time zone NOT NULL,
    readings bigint NOT NULL,
    CONSTRAINT reading_counts_span_s_check CHECK ((span_s = ANY (ARRAY[10, 900])))
)
WITH (fillfactor='70');
COMMENT ON TABLE traffic.reading_counts IS 'Number of readings of all sensors by time. Together with reading_changes it is exact in every snapshot.';
COMMENT ON COLUMN traffic.reading_counts.span_s IS 'Length of the counted span (seconds): 10 or 900.';
COMMENT ON COLUMN traffic.reading_counts.start IS 'Start of the span.';
COMMENT ON COLUMN traffic.reading_counts.readings IS 'Number of readings in the span.';
CREATE TABLE traffic.readings_5min (
    sensor_id uuid NOT NULL,
    bucket timestamp with time zone NOT NULL,
    interval_s integer,
    samples integer NOT NULL,
    expected_samples double precision,
    completeness double precision,
    with_volume integer NOT NULL,
    sum_volume bigint NOT NULL,
    vehicles double precision,
    flow double precision,
    sum_q bigint NOT NULL,
    sum_qv double precision NOT NULL,
    speed double precision,
    min_speed double precision,
    max_speed double precision,
    with_occupancy integer NOT NULL,
    sum_occupancy double precision NOT NULL,
    occupancy double precision,
    good integer NOT NULL,
    good_share double precision NOT NULL,
    observed integer NOT NULL,
    vmt double precision,
    vht double precision,
    free_vht double precision,
    delay_h double precision,
    travel_time_index double precision,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='80');
COMMENT ON TABLE traffic.readings_5min IS 'Readings by sensor and 5 minutes. docs/roll-ups.md has the formulas.';
COMMENT ON COLUMN traffic.readings_5min.sensor_id IS 'Sensor, see sensors.';
COMMENT ON COLUMN traffic.readings_5min.bucket IS 'Start of the 5 minutes (UTC).';
COMMENT ON COLUMN traffic.readings_5min.interval_s IS 'Time that a reading covers (seconds), imported or inferred; null: unknown.';
COMMENT ON COLUMN traffic.readings_5min.samples IS 'Number of readings.';
COMMENT ON COLUMN traffic.readings_5min.expected_samples IS 'Number of readings without any gap: seconds of the 5 minutes / interval_s.';
COMMENT ON COLUMN traffic.readings_5min.completeness IS 'samples / expected_samples (1: complete).';
COMMENT ON COLUMN traffic.readings_5min.with_volume IS 'Number of readings with a volume.';
COMMENT ON COLUMN traffic.readings_5min.sum_volume IS 'Sum of these volumes (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_5min.vehicles IS 'Vehicles counted: sum_volume x interval_s / 3600. Missing readings are not filled in.';
COMMENT ON COLUMN traffic.readings_5min.flow IS 'Mean flow: sum_volume / with_volume (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_5min.sum_q IS 'Sum of the volumes q over readings with q > 0, speed v > 0 and neither flag 4 nor 16 (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_5min.sum_qv IS 'Sum of q x v over the same readings (vehicles per hour x miles per hour).';
COMMENT ON COLUMN traffic.readings_5min.speed IS 'Flow-weighted speed: sum_qv / sum_q (miles per hour).';
COMMENT ON COLUMN traffic.readings_5min.min_speed IS 'Lowest speed of the same readings (miles per hour).';
COMMENT ON COLUMN traffic.readings_5min.max_speed IS 'Highest speed of the same readings (miles per hour).';
COMMENT ON COLUMN traffic.readings_5min.with_occupancy IS 'Number of readings with an occupancy.';
COMMENT ON COLUMN traffic.readings_5min.sum_occupancy IS 'Sum of these occupancies (percent).';
COMMENT ON COLUMN traffic.readings_5min.occupancy IS 'Mean occupancy: sum_occupancy / with_occupancy (percent).';
COMMENT ON COLUMN traffic.readings_5min.good IS 'Number of good readings: flags 0, or 8 on an empty road.';
COMMENT ON COLUMN traffic.readings_5min.good_share IS 'good / samples (0 to 1).';
COMMENT ON COLUMN traffic.readings_5min.observed IS '1: travel is known, by a speed or because all volumes are 0; else 0.';
COMMENT ON COLUMN traffic.readings_5min.vmt IS 'Vehicle miles travelled: vehicles x the sensor''s length_mi, if observed; null without a length.';
COMMENT ON COLUMN traffic.readings_5min.vht IS 'Vehicle hours travelled: vmt / speed.';
COMMENT ON COLUMN traffic.readings_5min.free_vht IS 'Vehicle hours at free flow: vmt / the sensor''s free-flow speed.';
COMMENT ON COLUMN traffic.readings_5min.delay_h IS 'Delay in vehicle hours: vht - free_vht, at least 0.';
COMMENT ON COLUMN traffic.readings_5min.travel_time_index IS 'vht / free_vht (ratio): 1.3 means 30 percent more time than at free flow.';
COMMENT ON COLUMN traffic.readings_5min.updated_at IS 'Time of the last change of this row. Recomputing equal values does not count.';
CREATE TABLE traffic.readings_daily (
    sensor_id uuid NOT NULL,
    date date NOT NULL,
    interval_s integer,
    samples integer NOT NULL,
    expected_samples double precision,
    completeness double precision,
    with_volume integer NOT NULL,
    sum_volume bigint NOT NULL,
    vehicles double precision,
    flow double precision,
    sum_q bigint NOT NULL,
    sum_qv double precision NOT NULL,
    speed double precision,
    min_speed double precision,
    max_speed double precision,
    with_occupancy integer NOT NULL,
    sum_occupancy double precision NOT NULL,
    occupancy double precision,
    good integer NOT NULL,
    good_share double precision NOT NULL,
    observed integer NOT NULL,
    observed_share double precision NOT NULL,
    vmt double precision,
    vht double precision,
    free_vht double precision,
    delay_h double precision,
    travel_time_index double precision,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='70');
COMMENT ON TABLE traffic.readings_daily IS 'Readings by sensor and local day, from hours and 5-minute rows. docs/roll-ups.md has the formulas.';
COMMENT ON COLUMN traffic.readings_daily.sensor_id IS 'Sensor, see sensors.';
COMMENT ON COLUMN traffic.readings_daily.date IS 'Local day in the platform''s time zone; 23 or 25 hours when the clock changes.';
COMMENT ON COLUMN traffic.readings_daily.interval_s IS 'Time that a reading covers (seconds), imported or inferred; null: unknown.';
COMMENT ON COLUMN traffic.readings_daily.samples IS 'Number of readings.';
COMMENT ON COLUMN traffic.readings_daily.expected_samples IS 'Number of readings without any gap: seconds of the day / interval_s.';
COMMENT ON COLUMN traffic.readings_daily.completeness IS 'samples / expected_samples (1: complete).';
COMMENT ON COLUMN traffic.readings_daily.with_volume IS 'Number of readings with a volume.';
COMMENT ON COLUMN traffic.readings_daily.sum_volume IS 'Sum of these volumes (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_daily.vehicles IS 'Vehicles counted: sum_volume x interval_s / 3600. Missing readings are not filled in.';
COMMENT ON COLUMN traffic.readings_daily.flow IS 'Mean flow: sum_volume / with_volume (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_daily.sum_q IS 'Sum of the volumes q over readings with q > 0, speed v > 0 and neither flag 4 nor 16 (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_daily.sum_qv IS 'Sum of q x v over the same readings (vehicles per hour x miles per hour).';
COMMENT ON COLUMN traffic.readings_daily.speed IS 'Flow-weighted speed: sum_qv / sum_q (miles per hour).';
COMMENT ON COLUMN traffic.readings_daily.min_speed IS 'Lowest speed of the same readings (miles per hour).';
COMMENT ON COLUMN traffic.readings_daily.max_speed IS 'Highest speed of the same readings (miles per hour).';
COMMENT ON COLUMN traffic.readings_daily.with_occupancy IS 'Number of readings with an occupancy.';
COMMENT ON COLUMN traffic.readings_daily.sum_occupancy IS 'Sum of these occupancies (percent).';
COMMENT ON COLUMN traffic.readings_daily.occupancy IS 'Mean occupancy: sum_occupancy / with_occupancy (percent).';
COMMENT ON COLUMN traffic.readings_daily.good IS 'Number of good readings: flags 0, or 8 on an empty road.';
COMMENT ON COLUMN traffic.readings_daily.good_share IS 'good / samples (0 to 1).';
COMMENT ON COLUMN traffic.readings_daily.observed IS 'Number of 5-minute rows with known travel.';
COMMENT ON COLUMN traffic.readings_daily.observed_share IS 'observed / number of 5-minute rows of a complete day (0 to 1).';
COMMENT ON COLUMN traffic.readings_daily.vmt IS 'Vehicle miles travelled: sum over the 5-minute rows of vehicles x the sensor''s length_mi; null without a length.';
COMMENT ON COLUMN traffic.readings_daily.vht IS 'Vehicle hours travelled: sum over the 5-minute rows of vmt / speed.';
COMMENT ON COLUMN traffic.readings_daily.free_vht IS 'Vehicle hours at free flow: sum over the 5-minute rows of vmt / the sensor''s free-flow speed.';
COMMENT ON COLUMN traffic.readings_daily.delay_h IS 'Delay in vehicle hours: sum over the 5-minute rows of vht - free_vht, at least 0 in each.';
COMMENT ON COLUMN traffic.readings_daily.travel_time_index IS 'vht / free_vht (ratio): 1.3 means 30 percent more time than at free flow.';
COMMENT ON COLUMN traffic.readings_daily.updated_at IS 'Time of the last change of this row. Recomputing equal values does not count.';
CREATE TABLE traffic.readings_hourly (
    sensor_id uuid NOT NULL,
    hour timestamp with time zone NOT NULL,
    interval_s integer,
    samples integer NOT NULL,
    expected_samples double precision,
    completeness double precision,
    with_volume integer NOT NULL,
    sum_volume bigint NOT NULL,
    vehicles double precision,
    flow double precision,
    sum_q bigint NOT NULL,
    sum_qv double precision NOT NULL,
    speed double precision,
    min_speed double precision,
    max_speed double precision,
    with_occupancy integer NOT NULL,
    sum_occupancy double precision NOT NULL,
    occupancy double precision,
    good integer NOT NULL,
    good_share double precision NOT NULL,
    observed integer NOT NULL,
    observed_share double precision NOT NULL,
    vmt double precision,
    vht double precision,
    free_vht double precision,
    delay_h double precision,
    travel_time_index double precision,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='70');
COMMENT ON TABLE traffic.readings_hourly IS 'Readings by sensor and hour, from the 5-minute rows. docs/roll-ups.md has the formulas.';
COMMENT ON COLUMN traffic.readings_hourly.sensor_id IS 'Sensor, see sensors.';
COMMENT ON COLUMN traffic.readings_hourly.hour IS 'Start of the hour (UTC).';
COMMENT ON COLUMN traffic.readings_hourly.interval_s IS 'Time that a reading covers (seconds), imported or inferred; null: unknown.';
COMMENT ON COLUMN traffic.readings_hourly.samples IS 'Number of readings.';
COMMENT ON COLUMN traffic.readings_hourly.expected_samples IS 'Number of readings without any gap: seconds of the hour / interval_s.';
COMMENT ON COLUMN traffic.readings_hourly.completeness IS 'samples / expected_samples (1: complete).';
COMMENT ON COLUMN traffic.readings_hourly.with_volume IS 'Number of readings with a volume.';
COMMENT ON COLUMN traffic.readings_hourly.sum_volume IS 'Sum of these volumes (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_hourly.vehicles IS 'Vehicles counted: sum_volume x interval_s / 3600. Missing readings are not filled in.';
COMMENT ON COLUMN traffic.readings_hourly.flow IS 'Mean flow: sum_volume / with_volume (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_hourly.sum_q IS 'Sum of the volumes q over readings with q > 0, speed v > 0 and neither flag 4 nor 16 (vehicles per hour).';
COMMENT ON COLUMN traffic.readings_hourly.sum_qv IS 'Sum of q x v over the same readings (vehicles per hour x miles per hour).';
COMMENT ON COLUMN traffic.readings_hourly.speed IS 'Flow-weighted speed: sum_qv / sum_q (miles per hour).';
COMMENT ON COLUMN traffic.readings_hourly.min_speed IS 'Lowest speed of the same readings (miles per hour).';
COMMENT ON COLUMN traffic.readings_hourly.max_speed IS 'Highest speed of the same readings (miles per hour).';
COMMENT ON COLUMN traffic.readings_hourly.with_occupancy IS 'Number of readings with an occupancy.';
COMMENT ON COLUMN traffic.readings_hourly.sum_occupancy IS 'Sum of these occupancies (percent).';
COMMENT ON COLUMN traffic.readings_hourly.occupancy IS 'Mean occupancy: sum_occupancy / with_occupancy (percent).';
COMMENT ON COLUMN traffic.readings_hourly.good IS 'Number of good readings: flags 0, or 8 on an empty road.';
COMMENT ON COLUMN traffic.readings_hourly.good_share IS 'good / samples (0 to 1).';
COMMENT ON COLUMN traffic.readings_hourly.observed IS 'Number of 5-minute rows with known travel.';
COMMENT ON COLUMN traffic.readings_hourly.observed_share IS 'observed / number of 5-minute rows of a complete hour (0 to 1).';
COMMENT ON COLUMN traffic.readings_hourly.vmt IS 'Vehicle miles travelled: sum over the 5-minute rows of vehicles x the sensor''s length_mi; null without a length.';
COMMENT ON COLUMN traffic.readings_hourly.vht IS 'Vehicle hours travelled: sum over the 5-minute rows of vmt / speed.';
COMMENT ON COLUMN traffic.readings_hourly.free_vht IS 'Vehicle hours at free flow: sum over the 5-minute rows of vmt / the sensor''s free-flow speed.';
COMMENT ON COLUMN traffic.readings_hourly.delay_h IS 'Delay in vehicle hours: sum over the 5-minute rows of vht - free_vht, at least 0 in each.';
COMMENT ON COLUMN traffic.readings_hourly.travel_time_index IS 'vht / free_vht (ratio): 1.3 means 30 percent more time than at free flow.';
COMMENT ON COLUMN traffic.readings_hourly.updated_at IS 'Time of the last change of this row. Recomputing equal values does not count.';
CREATE TABLE traffic.rebuilds (
    batch_id bigint NOT NULL,
    date date NOT NULL,
    rules_version text NOT NULL,
    run_id text,
    raw_restored bigint NOT NULL,
    events_added bigint NOT NULL,
    events_changed bigint NOT NULL,
    events_removed bigint NOT NULL,
    entered bigint NOT NULL,
    "left" bigint NOT NULL,
    moved bigint NOT NULL,
    rejudged bigint NOT NULL,
    readings_added bigint NOT NULL,
    readings_changed bigint NOT NULL,
    readings_removed bigint NOT NULL,
    committed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE traffic.rebuilds IS 'Dates that a backfill wrote to, with the numbers of changed rows. A date without differences has no row.';
COMMENT ON COLUMN traffic.rebuilds.batch_id IS 'Micro-batch of the backfill of this date; its signed differences are in micro_batches.';
COMMENT ON COLUMN traffic.rebuilds.date IS 'Local day in the platform''s time zone.';
COMMENT ON COLUMN traffic.rebuilds.rules_version IS 'Version of the rules that decoded the messages.';
COMMENT ON COLUMN traffic.rebuilds.run_id IS 'Dagster run of the backfill; null: none.';
COMMENT ON COLUMN traffic.rebuilds.raw_restored IS 'Number of missing raw rows restored from Kafka.';
COMMENT ON COLUMN traffic.rebuilds.events_added IS 'Number of processed events added: from quarantine, or restored.';
COMMENT ON COLUMN traffic.rebuilds.events_changed IS 'Number of processed events with other values.';
COMMENT ON COLUMN traffic.rebuilds.events_removed IS 'Number of processed events removed: sent to quarantine, or stored beside the right one.';
COMMENT ON COLUMN traffic.rebuilds.entered IS 'Number of messages that left quarantine as events.';
COMMENT ON COLUMN traffic.rebuilds."left" IS 'Number of events that went to quarantine.';
COMMENT ON COLUMN traffic.rebuilds.moved IS 'Number of events that now belong to another date.';
COMMENT ON COLUMN traffic.rebuilds.rejudged IS 'Number of messages that stay in quarantine with another reason or detail, or returned to it.';
COMMENT ON COLUMN traffic.rebuilds.readings_added IS 'Number of readings added.';
COMMENT ON COLUMN traffic.rebuilds.readings_changed IS 'Number of readings with other measures or another source message.';
COMMENT ON COLUMN traffic.rebuilds.readings_removed IS 'Number of readings removed.';
COMMENT ON COLUMN traffic.rebuilds.committed_at IS 'Time of the backfill, which is also the created_at and updated_at of the readings that it wrote.';
CREATE TABLE traffic.rebuilt_events (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    batch_id bigint NOT NULL,
    was text NOT NULL,
    was_batch_id bigint NOT NULL,
    was_date date NOT NULL,
    becomes text NOT NULL,
    event_date date NOT NULL,
    CONSTRAINT rebuilt_events_becomes_check CHECK ((becomes = ANY (ARRAY['processed'::text, 'quarantined'::text]))),
    CONSTRAINT rebuilt_events_was_check CHECK ((was = ANY (ARRAY['processed'::text, 'quarantined'::text])))
);
COMMENT ON TABLE traffic.rebuilt_events IS 'Messages whose result a backfill replaced, because other rules than today''s had decided it. Each row corrects the audit of an earlier batch. A repair under the same rules has no row.';
COMMENT ON COLUMN traffic.rebuilt_events.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.rebuilt_events.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.rebuilt_events."offset" IS 'Kafka offset in the partition.';
COMMENT ON COLUMN traffic.rebuilt_events.batch_id IS 'Micro-batch of the backfill; an event that left quarantine has the same number.';
COMMENT ON COLUMN traffic.rebuilt_events.was IS 'Earlier result: ''processed'' or ''quarantined''.';
COMMENT ON COLUMN traffic.rebuilt_events.was_batch_id IS 'Micro-batch that counted the message before.';
COMMENT ON COLUMN traffic.rebuilt_events.was_date IS 'Date that counted the message before.';
COMMENT ON COLUMN traffic.rebuilt_events.becomes IS 'New result: ''processed'' or ''quarantined''.';
COMMENT ON COLUMN traffic.rebuilt_events.event_date IS 'Date that counts the message now.';
CREATE TABLE traffic.replayed_events (
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    replay_no bigint NOT NULL,
    "offset" bigint NOT NULL,
    batch_id bigint NOT NULL
);
COMMENT ON TABLE traffic.replayed_events IS 'Events from reprocessed messages, numbered in the order in which they are published.';
COMMENT ON COLUMN traffic.replayed_events.topic_no IS 'Generation of the topic, see topics.';
COMMENT ON COLUMN traffic.replayed_events.partition IS 'Partition of the topic, from 0.';
COMMENT ON COLUMN traffic.replayed_events.replay_no IS 'Number of the event within its partition generation, from 1.';
COMMENT ON COLUMN traffic.replayed_events."offset" IS 'Kafka offset in the partition.';
COMMENT ON COLUMN traffic.replayed_events.batch_id IS 'Micro-batch of the reprocessing; the processed event has the same number.';
ALTER TABLE traffic.topics ALTER COLUMN topic_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME traffic.topics_topic_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE traffic.traffic_readings (
    sensor_id uuid NOT NULL,
    "timestamp" timestamp with time zone NOT NULL,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision NOT NULL,
    quality_flags smallint NOT NULL,
    broker_timestamp timestamp with time zone NOT NULL,
    topic_no smallint NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    id uuid GENERATED ALWAYS AS ((md5((uuid_send(sensor_id) || int8send(((EXTRACT(epoch FROM ("timestamp" AT TIME ZONE 'UTC'::text)) * (1000000)::numeric))::bigint))))::uuid)
)
PARTITION BY RANGE ("timestamp");
COMMENT ON TABLE traffic.traffic_readings IS 'One row per sensor and time. Of several events for it, the latest wins.';
COMMENT ON COLUMN traffic.traffic_readings.sensor_id IS 'Sensor, see sensors.';
COMMENT ON COLUMN traffic.traffic_readings."timestamp" IS 'Start of the interval that the measures cover (UTC, to the microsecond).';
COMMENT ON COLUMN traffic.traffic_readings.speed IS 'Mean speed (miles per hour).';
COMMENT ON COLUMN traffic.traffic_readings.volume IS 'Flow rate (vehicles per hour).';
COMMENT ON COLUMN traffic.traffic_readings.occupancy IS 'Share of the time that the detector is occupied (percent).';
COMMENT ON COLUMN traffic.traffic_readings.quality_score IS 'Quality tests passed / tests that apply (0 to 1).';
COMMENT ON COLUMN traffic.traffic_readings.quality_flags IS 'Failed quality tests as bits, as in processed_events.';
COMMENT ON COLUMN traffic.traffic_readings.broker_timestamp IS 'Kafka''s timestamp of the winning message, at most its ingested_at; -infinity: it has none.';
COMMENT ON COLUMN traffic.traffic_readings.topic_no IS 'Generation of the winning message''s topic, see topics.';
COMMENT ON COLUMN traffic.traffic_readings.partition IS 'Partition of the winning message, from 0.';
COMMENT ON COLUMN traffic.traffic_readings."offset" IS 'Kafka offset of the winning message.';
COMMENT ON COLUMN traffic.traffic_readings.created_at IS 'Time when the reading was first stored.';
COMMENT ON COLUMN traffic.traffic_readings.updated_at IS 'Time when its measures, score or flags last changed.';
COMMENT ON COLUMN traffic.traffic_readings.id IS 'Identifier of the reading, computed from sensor_id and timestamp.';
CREATE TABLE traffic.traffic_readings_202510 (
    sensor_id uuid CONSTRAINT traffic_readings_sensor_id_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT traffic_readings_timestamp_not_null NOT NULL,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision CONSTRAINT traffic_readings_quality_score_not_null NOT NULL,
    quality_flags smallint CONSTRAINT traffic_readings_quality_flags_not_null NOT NULL,
    broker_timestamp timestamp with time zone CONSTRAINT traffic_readings_broker_timestamp_not_null NOT NULL,
    topic_no smallint CONSTRAINT traffic_readings_topic_no_not_null NOT NULL,
    partition integer CONSTRAINT traffic_readings_partition_not_null NOT NULL,
    "offset" bigint CONSTRAINT traffic_readings_offset_not_null NOT NULL,
    created_at timestamp with time zone CONSTRAINT traffic_readings_created_at_not_null NOT NULL,
    updated_at timestamp with time zone CONSTRAINT traffic_readings_updated_at_not_null NOT NULL,
    id uuid GENERATED ALWAYS AS ((md5((uuid_send(sensor_id) || int8send(((EXTRACT(epoch FROM ("timestamp" AT TIME ZONE 'UTC'::text)) * (1000000)::numeric))::bigint))))::uuid)
);
CREATE TABLE traffic.traffic_readings_202511 (
    sensor_id uuid CONSTRAINT traffic_readings_sensor_id_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT traffic_readings_timestamp_not_null NOT NULL,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision CONSTRAINT traffic_readings_quality_score_not_null NOT NULL,
    quality_flags smallint CONSTRAINT traffic_readings_quality_flags_not_null NOT NULL,
    broker_timestamp timestamp with time zone CONSTRAINT traffic_readings_broker_timestamp_not_null NOT NULL,
    topic_no smallint CONSTRAINT traffic_readings_topic_no_not_null NOT NULL,
    partition integer CONSTRAINT traffic_readings_partition_not_null NOT NULL,
    "offset" bigint CONSTRAINT traffic_readings_offset_not_null NOT NULL,
    created_at timestamp with time zone CONSTRAINT traffic_readings_created_at_not_null NOT NULL,
    updated_at timestamp with time zone CONSTRAINT traffic_readings_updated_at_not_null NOT NULL,
    id uuid GENERATED ALWAYS AS ((md5((uuid_send(sensor_id) || int8send(((EXTRACT(epoch FROM ("timestamp" AT TIME ZONE 'UTC'::text)) * (1000000)::numeric))::bigint))))::uuid)
);
CREATE TABLE traffic.traffic_readings_202611 (
    sensor_id uuid CONSTRAINT traffic_readings_sensor_id_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT traffic_readings_timestamp_not_null NOT NULL,
    speed double precision,
    volume integer,
    occupancy double precision,
    quality_score double precision CONSTRAINT traffic_readings_quality_score_not_null NOT NULL,
    quality_flags smallint CONSTRAINT traffic_readings_quality_flags_not_null NOT NULL,
    broker_timestamp timestamp with time zone CONSTRAINT traffic_readings_broker_timestamp_not_null NOT NULL,
    topic_no smallint CONSTRAINT traffic_readings_topic_no_not_null NOT NULL,
    partition integer CONSTRAINT traffic_readings_partition_not_null NOT NULL,
    "offset" bigint CONSTRAINT traffic_readings_offset_not_null NOT NULL,
    created_at timestamp with time zone CONSTRAINT traffic_readings_created_at_not_null NOT NULL,
    updated_at timestamp with time zone CONSTRAINT traffic_readings_updated_at_not_null NOT NULL,
    id uuid GENERATED ALWAYS AS ((md5((uuid_send(sensor_id) || int8send(((EXTRACT(epoch FROM ("timestamp" AT TIME ZONE 'UTC'::text)) * (1000000)::numeric))::bigint))))::uuid)
);
CREATE VIEW traffic.traffic_readings_detail AS
 SELECT r.sensor_id,
    r."timestamp",
    r.speed,
    r.volume,
    r.occupancy,
    r.quality_score,
    r.quality_flags,
    r.broker_timestamp,
    r.topic_no,
    r.partition,
    r."offset",
    r.created_at,
    r.updated_at,
    r.id,
    s.external_id,
    s.name AS sensor_name,
    s.road,
    s.direction,
    s.milepost,
    s.station_id
   FROM (traffic.traffic_readings r
     JOIN traffic.sensors s USING (sensor_id));
ALTER TABLE ONLY traffic.processed_events ATTACH PARTITION traffic.processed_events_202510 FOR VALUES FROM ('2025-10-01 00:00:00+00') TO ('2025-11-01 00:00:00+00');
ALTER TABLE ONLY traffic.processed_events ATTACH PARTITION traffic.processed_events_202511 FOR VALUES FROM ('2025-11-01 00:00:00+00') TO ('2025-12-01 00:00:00+00');
ALTER TABLE ONLY traffic.processed_events ATTACH PARTITION traffic.processed_events_202611 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
ALTER TABLE ONLY traffic.raw_events ATTACH PARTITION traffic.raw_events_20261130 FOR VALUES FROM ('2026-11-30 00:00:00+00') TO ('2026-12-01 00:00:00+00');
ALTER TABLE ONLY traffic.raw_events ATTACH PARTITION traffic.raw_events_20261201 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2026-12-02 00:00:00+00');
ALTER TABLE ONLY traffic.traffic_readings ATTACH PARTITION traffic.traffic_readings_202510 FOR VALUES FROM ('2025-10-01 00:00:00+00') TO ('2025-11-01 00:00:00+00');
ALTER TABLE ONLY traffic.traffic_readings ATTACH PARTITION traffic.traffic_readings_202511 FOR VALUES FROM ('2025-11-01 00:00:00+00') TO ('2025-12-01 00:00:00+00');
ALTER TABLE ONLY traffic.traffic_readings ATTACH PARTITION traffic.traffic_readings_202611 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
INSERT INTO public.traffic_alembic_version VALUES
	('0012');
INSERT INTO traffic.api_keys OVERRIDING SYSTEM VALUE VALUES
	(1, 'a reader', '\xabababababababababababababababababababababababababababababababab', '{read}', '2026-11-30 18:06:32.539407+00', NULL, NULL);
INSERT INTO traffic.detector_health VALUES
	('0b414101-8e39-50e3-967d-e6e8c9b64d7d', '2025-10-04', 'not_evaluated', 'Its first day: it reports since 2025-10-04 12:00.', '', '{insufficient_data,card_off,high_value,intermittent,constant}', NULL, false, NULL, false, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 36000, '2025-10-04 12:00:00+00', '2026-11-30 18:06:30.687407+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04', 'not_evaluated', 'Its first day: it reports since 2025-10-04 12:00.', '', '{insufficient_data,card_off,high_value,intermittent,constant}', NULL, false, 600, true, 7, 7, 102, 6.862745098039215, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 25200, '2025-10-04 20:20:00+00', '2026-11-30 18:06:30.687407+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-10-04', 'not_evaluated', 'Its first day: it reports since 2025-10-04 12:01.', '', '{insufficient_data,card_off,high_value,intermittent,constant}', NULL, false, NULL, false, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 35940, '2025-10-04 12:01:00+00', '2026-11-30 18:06:30.687407+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04', 'not_evaluated', 'Its first day: it reports since 2025-10-04 12:00.', '', '{insufficient_data,card_off,high_value,intermittent,constant}', NULL, false, 600, true, 5, 5, 102, 4.901960784313726, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 25200, '2025-10-04 17:00:00+00', '2026-11-30 18:06:30.687407+00'),
	('f67d215c-cd99-5cdf-bed4-5814405d18cd', '2025-10-04', 'not_evaluated', 'Its first day: it reports since 2025-10-04 17:01.', '', '{insufficient_data,card_off,high_value,intermittent,constant}', NULL, false, NULL, false, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 43260, '2025-10-04 17:01:00+00', '2026-11-30 18:06:30.687407+00'),
	('0b414101-8e39-50e3-967d-e6e8c9b64d7d', '2025-11-03', 'no_data', 'No reading from 05:00 to 21:59; the newest is of 2025-10-04 12:00.', 'This detector: its card, its loop, its place in the controller''s configuration. If it was taken out, leave it out of the next list.', '{insufficient_data,card_off,high_value,intermittent,constant}', 'detector', false, NULL, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 61200, '2025-10-04 12:00:00+00', '2026-11-30 18:06:30.738902+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03', 'insufficient_data', '5 of 102 expected samples (4.9 %; one every 600 s, inferred); fewer than 60 % are too few. Longest time without a reading: 7 h 51 min.', 'The line to the controller: modem, signal, polls that are dropped. If the detector never delivers more, its interval_s is wrong: import the right one.', '{card_off,high_value,intermittent,constant}', NULL, false, 600, true, 5, 5, 102, 4.901960784313726, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 28260, '2025-11-03 20:21:00+00', '2026-11-30 18:06:30.738902+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-11-03', 'not_evaluated', 'How many samples to expect is not known: interval_s was not imported, and the readings are too few to tell it.', '', '{insufficient_data,card_off,high_value,intermittent,constant}', NULL, false, NULL, false, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 35880, '2025-11-03 12:02:00+00', '2026-11-30 18:06:30.738902+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03', 'insufficient_data', '4 of 102 expected samples (3.9 %; one every 600 s, inferred); fewer than 60 % are too few. Longest time without a reading: 9 h 30 min.', 'The line to the controller: modem, signal, polls that are dropped. If the detector never delivers more, its interval_s is wrong: import the right one.', '{card_off,high_value,intermittent,constant}', NULL, false, 600, true, 4, 4, 102, 3.9215686274509802, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 34200, '2025-11-03 12:30:00+00', '2026-11-30 18:06:30.738902+00'),
	('f67d215c-cd99-5cdf-bed4-5814405d18cd', '2025-11-03', 'no_data', 'No reading from 05:00 to 21:59; the newest is of 2025-10-04 17:01.', 'This detector: its card, its loop, its place in the controller''s configuration. If it was taken out, leave it out of the next list.', '{insufficient_data,card_off,high_value,intermittent,constant}', 'detector', false, NULL, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 61200, '2025-10-04 17:01:00+00', '2026-11-30 18:06:30.738902+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2026-05-14', 'no_data', 'No reading from 05:00 to 21:59; the newest is of 2025-11-03 20:21.', 'Nothing in the field yet: no detector delivers. The feed, its producer, Kafka and this platform (`traffic status`).', '{insufficient_data,card_off,high_value,intermittent,constant}', 'feed', false, NULL, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 61200, '2025-11-03 20:21:00+00', '2026-11-30 18:06:30.782884+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2026-05-14', 'no_data', 'No reading from 05:00 to 21:59; the newest is of 2025-11-03 12:02.', 'Nothing in the field yet: no detector delivers. The feed, its producer, Kafka and this platform (`traffic status`).', '{insufficient_data,card_off,high_value,intermittent,constant}', 'feed', false, NULL, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 61200, '2025-11-03 12:02:00+00', '2026-11-30 18:06:30.782884+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2026-05-14', 'no_data', 'No reading from 05:00 to 21:59; the newest is of 2025-11-03 12:30.', 'Nothing in the field yet: no detector delivers. The feed, its producer, Kafka and this platform (`traffic status`).', '{insufficient_data,card_off,high_value,intermittent,constant}', 'feed', false, NULL, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 61200, '2025-11-03 12:30:00+00', '2026-11-30 18:06:30.782884+00');
INSERT INTO traffic.diagnosed_dates VALUES
	('2025-10-04', '2026-11-30 18:06:30.699763+00'),
	('2025-11-03', '2026-11-30 18:06:30.752758+00'),
	('2026-05-14', '2026-11-30 18:06:30.794384+00');
INSERT INTO traffic.dirty_buckets OVERRIDING SYSTEM VALUE VALUES
	(9, '{9973aa48-666e-5dd4-bd13-3b1da62deb1f,bff53698-76c0-5169-af6d-cc205f23222f,bff53698-76c0-5169-af6d-cc205f23222f}', '{"2025-10-04 17:10:00+00","2025-10-04 17:10:00+00","2025-11-03 17:10:00+00"}', DEFAULT, '2026-11-30 18:06:30.992882+00'),
	(10, '{bff53698-76c0-5169-af6d-cc205f23222f}', '{"2025-10-04 17:20:00+00"}', DEFAULT, '2026-11-30 18:06:31.348878+00');
INSERT INTO traffic.dropped_rows VALUES
	('raw_events', '2026-10-21 00:00:00+00', '2026-10-22 00:00:00+00', 1, 1, 17, 17, '2026-10-21 18:06:28.365115+00', '{}', '2026-11-30 18:06:30.566919+00'),
	('raw_events', '2026-10-21 00:00:00+00', '2026-10-22 00:00:00+00', 1, 0, 24, 24, '2026-10-21 18:06:28.365115+00', '{}', '2026-11-30 18:06:30.566919+00');
INSERT INTO traffic.folded_logs VALUES
	(1, 0, 24, '2026-11-30 18:06:30.528547+00'),
	(1, 1, 17, '2026-11-30 18:06:30.545504+00');
INSERT INTO traffic.kafka_offsets VALUES
	(1, 0, 'traffic-raw', 0, 29, true, 0, 29, '2026-11-30 18:06:30.992882+00'),
	(1, 1, 'traffic-raw', 0, 21, true, 0, 21, '2026-11-30 18:06:31.348878+00');
INSERT INTO traffic.lost_ranges VALUES
	(1, 1, 18, 20, 'retention', '2026-11-30 18:06:31.129186+00', '2026-11-30 18:06:31.422861+00');
INSERT INTO traffic.micro_batches VALUES
	(322, 1, 1, 15, 17, 2, 2, 2, 0, 0, 2, 0, 0, '{2025-10-04,2025-11-03}', '{"2025-10-04": {"raw": 1, "processed": 1, "quarantined": 0}, "2025-11-03": {"raw": 1, "processed": 1, "quarantined": 0}}', '2-8de10d23', NULL, '2026-10-21 18:06:26.850606+00', 'window', NULL, 1, NULL, NULL, 2, '{}'),
	(386, 1, 0, 20, 24, 4, 4, 2, 2, 0, 2, 0, 0, '{2025-10-04,2026-05-14}', '{"2025-10-04": {"raw": 3, "processed": 2, "quarantined": 1}, "2026-05-14": {"raw": 1, "processed": 0, "quarantined": 1}}', '2-8de10d23', NULL, '2026-10-21 18:06:28.370694+00', 'window', NULL, 1, NULL, NULL, 4, '{}'),
	(257, 1, 1, 12, 15, 3, 3, 0, 3, 0, 0, 0, 0, '{2025-10-04,2025-11-03}', '{"2025-10-04": {"raw": 2, "processed": 0, "quarantined": 2}, "2025-11-03": {"raw": 1, "processed": 0, "quarantined": 1}}', '2-8de10d23', NULL, '2026-10-21 18:06:26.474251+00', 'window', NULL, 1, NULL, NULL, 3, '{}'),
	(1, 1, 0, 0, 10, 10, 10, 8, 2, 0, 4, 1, 3, '{2025-10-04,2025-11-03,2026-05-14}', '{"2025-10-04": {"raw": 6, "processed": 6, "quarantined": 0}, "2025-11-03": {"raw": 2, "processed": 2, "quarantined": 0}, "2026-05-14": {"raw": 2, "processed": 0, "quarantined": 2}}', '2-8de10d23', NULL, '2026-10-21 16:06:25.667245+00', 'window', 65, 2, NULL, '2026-10-21 16:06:24.785778+00', 10, '{}'),
	(129, 1, 0, 10, 20, 10, 10, 8, 2, 0, 4, 0, 4, '{2025-10-04,2025-11-03,2026-05-14}', '{"2025-10-04": {"raw": 6, "processed": 6, "quarantined": 0}, "2025-11-03": {"raw": 2, "processed": 2, "quarantined": 0}, "2026-05-14": {"raw": 2, "processed": 0, "quarantined": 2}}', '2-8de10d23', NULL, '2026-10-21 17:06:26.145903+00', 'window', 193, 2, NULL, '2026-10-21 17:06:25.919472+00', 10, '{}'),
	(321, 1, 1, 12, 14, 0, 0, 2, -2, 0, 2, 0, 0, '{2025-10-04,2025-11-03}', '{"2025-10-04": {"raw": 0, "processed": 1, "quarantined": -1}, "2025-11-03": {"raw": 0, "processed": 1, "quarantined": -1}}', '2-1ce63544', NULL, '2026-10-21 18:06:26.602339+00', 'replay', NULL, 1, NULL, NULL, 0, '{}'),
	(450, 1, 0, 21, 24, 0, 0, 2, -2, 0, 2, 0, 0, '{2025-10-04,2026-05-14}', '{"2025-10-04": {"raw": 1, "processed": 2, "quarantined": -1}, "2026-05-14": {"raw": -1, "processed": 0, "quarantined": -1}}', '2-8de10d23', NULL, '2026-10-21 18:06:29.384189+00', 'rebuild', NULL, 1, NULL, NULL, 0, '{}'),
	(450, 1, 1, 14, 15, 0, 0, 1, -1, 0, 1, 0, 0, '{2025-10-04}', '{"2025-10-04": {"raw": 0, "processed": 1, "quarantined": -1}}', '2-8de10d23', NULL, '2026-10-21 18:06:29.384189+00', 'rebuild', NULL, 1, NULL, NULL, 0, '{}'),
	(1, 1, 1, 0, 6, 6, 6, 4, 2, 0, 4, 0, 0, '{2025-10-04,2025-11-03,2026-05-14}', '{"2025-10-04": {"raw": 2, "processed": 2, "quarantined": 0}, "2025-11-03": {"raw": 2, "processed": 2, "quarantined": 0}, "2026-05-14": {"raw": 2, "processed": 0, "quarantined": 2}}', '2-8de10d23', NULL, '2026-10-21 16:06:25.667245+00', 'window', 65, 2, NULL, '2026-10-21 16:06:24.785778+00', 6, '{}'),
	(129, 1, 1, 6, 12, 6, 6, 4, 2, 0, 4, 0, 0, '{2025-10-04,2025-11-03,2026-05-14}', '{"2025-10-04": {"raw": 2, "processed": 2, "quarantined": 0}, "2025-11-03": {"raw": 2, "processed": 2, "quarantined": 0}, "2026-05-14": {"raw": 2, "processed": 0, "quarantined": 2}}', '2-8de10d23', NULL, '2026-10-21 17:06:26.145903+00', 'window', 193, 2, NULL, '2026-10-21 17:06:25.919472+00', 6, '{}'),
	(451, 1, 0, 24, 29, 5, 5, 3, 2, 0, 2, 1, 0, '{2025-10-04,2025-11-03,2026-05-14}', '{"2025-10-04": {"raw": 2, "processed": 2, "quarantined": 0}, "2025-11-03": {"raw": 1, "processed": 1, "quarantined": 0}, "2026-05-14": {"raw": 2, "processed": 0, "quarantined": 2}}', '2-8de10d23', NULL, '2026-11-30 18:06:30.992882+00', 'window', NULL, 1, NULL, NULL, 0, '{}'),
	(451, 1, 1, 17, 18, 1, 1, 1, 0, 0, 1, 0, 0, '{2025-10-04}', '{"2025-10-04": {"raw": 1, "processed": 1, "quarantined": 0}}', '2-8de10d23', NULL, '2026-11-30 18:06:30.992882+00', 'window', NULL, 1, NULL, NULL, 0, '{}'),
	(515, 1, 1, 20, 21, 1, 1, 1, 0, 0, 1, 0, 0, '{2025-10-04}', '{"2025-10-04": {"raw": 1, "processed": 1, "quarantined": 0}}', '2-8de10d23', NULL, '2026-11-30 18:06:31.348878+00', 'window', NULL, 1, NULL, NULL, 0, '{}');
INSERT INTO traffic.partition_leases VALUES
	('traffic-raw', 0, 1, '2026-11-30 18:06:32.530675+00', NULL, '2026-11-30 18:06:32.530675+00', '2026-11-30 18:06:32.530675+00');
INSERT INTO traffic.platform VALUES
	(true, '00000000-0000-4000-8000-000000000001', 'UTC', '2026-11-30 18:06:16.883044+00');
INSERT INTO traffic.platform_keys VALUES
	(true, '\x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a');
INSERT INTO traffic.processed_events_202510 VALUES
	(1, 0, 0, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 55, NULL, NULL, 1, 0, 1, 1),
	(1, 0, 2, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 40, NULL, NULL, 1, 0, 1, 1),
	(1, 0, 4, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 55, NULL, NULL, 1, 0, 1, 1),
	(1, 1, 0, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:00:00+00', 55, NULL, NULL, 1, 0, 1, 1),
	(1, 0, 5, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:10:00+00', 55, NULL, NULL, 1, 0, 1, 65),
	(1, 0, 7, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 50, NULL, NULL, 1, 0, 1, 65),
	(1, 0, 9, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:10:00+00', 55, NULL, NULL, 1, 0, 1, 65),
	(1, 1, 3, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:10:00+00', 55, NULL, NULL, 1, 0, 1, 65),
	(1, 0, 10, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:20:00+00', 55, NULL, NULL, 1, 0, 1, 129),
	(1, 0, 12, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 60, NULL, NULL, 1, 0, 1, 129),
	(1, 0, 14, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:20:00+00', 55, NULL, NULL, 1, 0, 1, 129),
	(1, 1, 6, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:20:00+00', 55, NULL, NULL, 1, 0, 1, 129),
	(1, 0, 15, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:30:00+00', 55, NULL, NULL, 1, 0, 1, 193),
	(1, 0, 17, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 70, NULL, NULL, 1, 0, 1, 193),
	(1, 0, 19, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:30:00+00', 55, NULL, NULL, 1, 0, 1, 193),
	(1, 1, 9, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:30:00+00', 55, NULL, NULL, 1, 0, 1, 193),
	(1, 1, 12, 'afed5552-4852-5333-9209-04eb580fc106', '2025-10-04 12:01:00+00', 55, NULL, NULL, 1, 0, 1, 321),
	(1, 1, 15, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 20:20:00+00', 55, NULL, NULL, 1, 0, 1, 322),
	(1, 0, 20, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 17:00:00+00', 55, NULL, NULL, 1, 0, 1, 386),
	(1, 0, 22, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 17:02:00+00', 1, NULL, NULL, 0.5, 8, 1, 386),
	(1, 0, 21, 'f67d215c-cd99-5cdf-bed4-5814405d18cd', '2025-10-04 17:01:00+00', 55, NULL, NULL, 1, 0, 1, 450),
	(1, 0, 23, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:03:00+00', 55, NULL, NULL, 1, 0, 1, 450),
	(1, 1, 14, '0b414101-8e39-50e3-967d-e6e8c9b64d7d', '2025-10-04 12:00:00+00', 55, NULL, NULL, 1, 0, 1, 450),
	(1, 0, 24, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 17:10:00+00', 55, NULL, NULL, 1, 0, 1, 451),
	(1, 0, 27, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 17:10:00+00', 9, NULL, NULL, 1, 0, 1, 451),
	(1, 1, 17, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 17:12:00+00', 55, NULL, NULL, 1, 0, 1, 451),
	(1, 1, 20, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 17:22:00+00', 55, NULL, NULL, 1, 0, 1, 515);
INSERT INTO traffic.processed_events_202511 VALUES
	(1, 0, 1, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:00:00+00', 55, NULL, NULL, 1, 0, 1, 1),
	(1, 1, 2, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:00:00+00', 55, NULL, NULL, 1, 0, 1, 1),
	(1, 0, 6, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:10:00+00', 55, NULL, NULL, 1, 0, 1, 65),
	(1, 1, 5, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:10:00+00', 55, NULL, NULL, 1, 0, 1, 65),
	(1, 0, 11, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:20:00+00', 55, NULL, NULL, 1, 0, 1, 129),
	(1, 1, 8, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:20:00+00', 55, NULL, NULL, 1, 0, 1, 129),
	(1, 0, 16, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:30:00+00', 55, NULL, NULL, 1, 0, 1, 193),
	(1, 1, 11, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:30:00+00', 55, NULL, NULL, 1, 0, 1, 193),
	(1, 1, 13, 'afed5552-4852-5333-9209-04eb580fc106', '2025-11-03 12:02:00+00', 55, NULL, NULL, 1, 0, 1, 321),
	(1, 1, 16, '9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 20:21:00+00', 55, NULL, NULL, 1, 0, 1, 322),
	(1, 0, 25, 'bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 17:11:00+00', 55, NULL, NULL, 1, 0, 1, 451);
INSERT INTO traffic.publications VALUES
	(1, 0, 'events', 24, 'traffic-events', 'Wx6tlFGVQziJiznTeqEIQQ', 0, 22, '2026-11-30 18:06:30.226753+00'),
	(1, 0, 'replays', 3, 'traffic-events', 'Wx6tlFGVQziJiznTeqEIQQ', 0, 22, '2026-11-30 18:06:30.226753+00'),
	(1, 1, 'events', 17, 'traffic-events', 'Wx6tlFGVQziJiznTeqEIQQ', 1, 14, '2026-11-30 18:06:30.226753+00'),
	(1, 1, 'replays', 4, 'traffic-events', 'Wx6tlFGVQziJiznTeqEIQQ', 1, 14, '2026-11-30 18:06:30.226753+00');
INSERT INTO traffic.quarantined_events VALUES
	(1, 0, 3, 'malformed_json', 'no JSON at character 0: Expecting value', NULL, '\x6e6f74206a736f6e', '2026-05-14 18:06:27.293+00', '2026-10-21 16:06:24.564456+00', 1, NULL, NULL, '2026-05-14', NULL),
	(1, 1, 1, 'tombstone', 'the message has no value: a tombstone', NULL, NULL, '2026-05-14 18:06:25.356+00', '2026-10-21 16:06:24.564456+00', 1, NULL, NULL, '2026-05-14', NULL),
	(1, 0, 8, 'malformed_json', 'no JSON at character 0: Expecting value', NULL, '\x6e6f74206a736f6e', '2026-05-14 18:06:28.447+00', '2026-10-21 16:06:25.638134+00', 65, NULL, NULL, '2026-05-14', NULL),
	(1, 1, 4, 'tombstone', 'the message has no value: a tombstone', NULL, NULL, '2026-05-14 18:06:26.46+00', '2026-10-21 16:06:25.638134+00', 65, NULL, NULL, '2026-05-14', NULL),
	(1, 0, 13, 'malformed_json', 'no JSON at character 0: Expecting value', NULL, '\x6e6f74206a736f6e', '2026-05-14 18:06:28.759+00', '2026-10-21 17:06:25.909473+00', 129, NULL, NULL, '2026-05-14', NULL),
	(1, 1, 7, 'tombstone', 'the message has no value: a tombstone', NULL, NULL, '2026-05-14 18:06:26.768+00', '2026-10-21 17:06:25.909473+00', 129, NULL, NULL, '2026-05-14', NULL),
	(1, 0, 18, 'malformed_json', 'no JSON at character 0: Expecting value', NULL, '\x6e6f74206a736f6e', '2026-05-14 18:06:28.99+00', '2026-10-21 17:06:26.137792+00', 193, NULL, NULL, '2026-05-14', NULL),
	(1, 1, 10, 'tombstone', 'the message has no value: a tombstone', NULL, NULL, '2026-05-14 18:06:26.997+00', '2026-10-21 17:06:26.137792+00', 193, NULL, NULL, '2026-05-14', NULL),
	(1, 1, 12, 'unknown_sensor', 'sensor_id ''late'' is not in traffic.sensors', NULL, '\x7b2273656e736f725f6964223a20226c617465222c202274696d657374616d70223a2022323032352d31302d30345431323a30313a30302b30303a3030222c20227370656564223a2035352e307d', '2026-05-14 18:06:26.231+00', '2026-10-21 18:06:26.470345+00', 257, '2026-10-21 18:06:26.602339+00', 'replayed', '2025-10-04', NULL),
	(1, 1, 13, 'unknown_sensor', 'sensor_id ''late'' is not in traffic.sensors', NULL, '\x7b2273656e736f725f6964223a20226c617465222c202274696d657374616d70223a2022323032352d31312d30335431323a30323a30302b30303a3030222c20227370656564223a2035352e307d', '2026-05-14 18:06:27.231+00', '2026-10-21 18:06:26.470345+00', 257, '2026-10-21 18:06:26.602339+00', 'replayed', '2025-11-03', NULL),
	(1, 1, 14, 'unknown_sensor', 'sensor_id ''stranger'' is not in traffic.sensors', NULL, '\x7b2273656e736f725f6964223a2022737472616e676572222c202274696d657374616d70223a2022323032352d31302d30345431323a30303a30302b30303a3030222c20227370656564223a2035352e307d', '2026-05-14 18:06:28.231+00', '2026-10-21 18:06:26.470345+00', 257, '2026-10-21 18:06:29.384189+00', 'rebuilt', '2025-10-04', NULL),
	(1, 0, 21, 'unknown_sensor', 'sensor_id ''unknown'' is not in traffic.sensors', NULL, '\x7b2273656e736f725f6964223a2022756e6b6e6f776e222c202274696d657374616d70223a2022323032352d31302d30345431373a30313a30302b30303a3030222c20227370656564223a2035352e307d', '2026-05-14 18:06:29.224+00', '2026-10-21 18:06:28.365115+00', 386, '2026-10-21 18:06:29.384189+00', 'rebuilt', '2025-10-04', NULL),
	(1, 0, 23, 'timestamp_without_zone', 'timestamp ''2025-10-04T05:03:00'' names no zone; TRAFFIC_NAIVE_TIMEZONE can say which zone such feeds mean', NULL, '\x7b2273656e736f725f6964223a202261222c202274696d657374616d70223a2022323032352d31302d30345430353a30333a3030222c20227370656564223a2035352e307d', '2026-05-14 18:06:31.224+00', '2026-10-21 18:06:28.365115+00', 386, '2026-10-21 18:06:29.384189+00', 'rebuilt', '2026-05-14', NULL),
	(1, 0, 26, 'malformed_json', 'no JSON at character 0: Expecting value', NULL, '\x7374696c6c206e6f206a736f6e', '2026-05-14 18:06:32.832+00', '2026-11-30 18:06:30.98316+00', 451, NULL, NULL, '2026-05-14', NULL),
	(1, 0, 28, 'tombstone', 'the message has no value: a tombstone', NULL, NULL, '2026-05-14 18:06:34.832+00', '2026-11-30 18:06:30.98316+00', 451, NULL, NULL, '2026-05-14', NULL);
INSERT INTO traffic.raw_events_20261130 VALUES
	(1, 0, 24, NULL, '\x7b2273656e736f725f6964223a202261222c202274696d657374616d70223a2022323032352d31302d30345431373a31303a30302b30303a3030222c20227370656564223a2035352e307d', NULL, '2026-05-14 18:06:30.832+00', '2026-11-30 18:06:30.98316+00', 451),
	(1, 0, 25, NULL, '\x7b2273656e736f725f6964223a202262222c202274696d657374616d70223a2022323032352d31312d30335431373a31313a30302b30303a3030222c20227370656564223a2035352e307d', NULL, '2026-05-14 18:06:31.832+00', '2026-11-30 18:06:30.98316+00', 451),
	(1, 0, 26, NULL, '\x7374696c6c206e6f206a736f6e', NULL, '2026-05-14 18:06:32.832+00', '2026-11-30 18:06:30.98316+00', 451),
	(1, 0, 27, NULL, '\x7b2273656e736f725f6964223a202261222c202274696d657374616d70223a2022323032352d31302d30345431373a31303a30302b30303a3030222c20227370656564223a20392e307d', NULL, '2026-05-14 18:06:33.832+00', '2026-11-30 18:06:30.98316+00', 451),
	(1, 0, 28, NULL, NULL, NULL, '2026-05-14 18:06:34.832+00', '2026-11-30 18:06:30.98316+00', 451),
	(1, 1, 17, NULL, '\x7b2273656e736f725f6964223a202262222c202274696d657374616d70223a2022323032352d31302d30345431373a31323a30302b30303a3030222c20227370656564223a2035352e307d', NULL, '2026-05-14 18:06:30.84+00', '2026-11-30 18:06:30.98316+00', 451),
	(1, 1, 20, NULL, '\x7b2273656e736f725f6964223a202262222c202274696d657374616d70223a2022323032352d31302d30345431373a32323a30302b30303a3030222c20227370656564223a2035352e307d', NULL, '2026-05-14 18:06:33.068+00', '2026-11-30 18:06:31.337894+00', 515);
INSERT INTO traffic.reading_changes VALUES
	('2025-10-04 17:10:00+00', 1),
	('2025-10-04 17:12:00+00', 1),
	('2025-11-03 17:11:00+00', 1),
	('2025-10-04 17:22:00+00', 1);
INSERT INTO traffic.reading_counts VALUES
	(10, '2025-10-04 12:30:00+00', 2),
	(10, '2025-11-03 20:21:00+00', 1),
	(10, '2025-10-04 17:02:00+00', 1),
	(900, '2025-11-03 12:15:00+00', 2),
	(10, '2025-10-04 12:20:00+00', 2),
	(10, '2025-10-04 20:20:00+00', 1),
	(10, '2025-11-03 12:10:00+00', 2),
	(10, '2025-11-03 12:20:00+00', 2),
	(900, '2025-10-04 17:00:00+00', 3),
	(10, '2025-11-03 12:30:00+00', 2),
	(10, '2025-10-04 17:00:00+00', 1),
	(10, '2025-10-04 12:03:00+00', 1),
	(10, '2025-10-04 12:00:00+00', 3),
	(900, '2025-10-04 12:00:00+00', 7),
	(900, '2025-10-04 20:15:00+00', 1),
	(900, '2025-10-04 12:30:00+00', 2),
	(10, '2025-11-03 12:02:00+00', 1),
	(900, '2025-11-03 20:15:00+00', 1),
	(900, '2025-11-03 12:00:00+00', 5),
	(10, '2025-11-03 12:00:00+00', 2),
	(900, '2025-10-04 12:15:00+00', 2),
	(10, '2025-10-04 17:01:00+00', 1),
	(10, '2025-10-04 12:10:00+00', 2),
	(900, '2025-11-03 12:30:00+00', 2),
	(10, '2025-10-04 12:01:00+00', 1);
INSERT INTO traffic.readings_5min VALUES
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 600, 2, 0.5, 4, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 2, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:30:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 17:00:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:30:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:20:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:20:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 20:20:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:00:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:10:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:10:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('f67d215c-cd99-5cdf-bed4-5814405d18cd', '2025-10-04 17:00:00+00', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:00:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:30:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 17:00:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:20:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:30:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-11-03 12:00:00+00', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-10-04 12:00:00+00', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:20:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:00:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:10:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('0b414101-8e39-50e3-967d-e6e8c9b64d7d', '2025-10-04 12:00:00+00', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:10:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 20:20:00+00', 600, 1, 0.5, 2, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00');
INSERT INTO traffic.readings_daily VALUES
	('0b414101-8e39-50e3-967d-e6e8c9b64d7d', '2025-10-04', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04', 600, 7, 144, 0.04861111111111111, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 6, 0.8571428571428571, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03', 600, 5, 144, 0.034722222222222224, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 5, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-10-04', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-11-03', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04', 600, 5, 144, 0.034722222222222224, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 5, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03', 600, 4, 144, 0.027777777777777776, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 4, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('f67d215c-cd99-5cdf-bed4-5814405d18cd', '2025-10-04', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00');
INSERT INTO traffic.readings_hourly VALUES
	('0b414101-8e39-50e3-967d-e6e8c9b64d7d', '2025-10-04 12:00:00+00', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 600, 5, 6, 0.8333333333333334, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 5, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 17:00:00+00', 600, 1, 6, 0.16666666666666666, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 20:00:00+00', 600, 1, 6, 0.16666666666666666, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:00:00+00', 600, 4, 6, 0.6666666666666666, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 4, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 20:00:00+00', 600, 1, 6, 0.16666666666666666, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-10-04 12:00:00+00', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-11-03 12:00:00+00', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:00:00+00', 600, 4, 6, 0.6666666666666666, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 4, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 17:00:00+00', 600, 1, 6, 0.16666666666666666, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:00:00+00', 600, 4, 6, 0.6666666666666666, 0, 0, 0, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 4, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00'),
	('f67d215c-cd99-5cdf-bed4-5814405d18cd', '2025-10-04 17:00:00+00', NULL, 1, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0, NULL, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:30.627514+00');
INSERT INTO traffic.rebuilds VALUES
	(450, '2025-10-04', '2-8de10d23', NULL, 0, 3, 0, 0, 3, 0, 0, 0, 3, 0, 0, '2026-10-21 18:06:29.384189+00');
INSERT INTO traffic.rebuilt_events VALUES
	(1, 1, 14, 450, 'quarantined', 257, '2025-10-04', 'processed', '2025-10-04'),
	(1, 0, 21, 450, 'quarantined', 386, '2025-10-04', 'processed', '2025-10-04'),
	(1, 0, 23, 450, 'quarantined', 386, '2026-05-14', 'processed', '2025-10-04');
INSERT INTO traffic.replayed_events VALUES
	(1, 1, 1, 12, 321),
	(1, 1, 2, 13, 321),
	(1, 0, 1, 21, 450),
	(1, 0, 2, 23, 450),
	(1, 1, 3, 14, 450);
INSERT INTO traffic.sensors VALUES
	('afed5552-4852-5333-9209-04eb580fc106', 'late', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:26.548913+00', 'imported', NULL, NULL, NULL),
	('0b414101-8e39-50e3-967d-e6e8c9b64d7d', 'stranger', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:29.381472+00', 'seen', NULL, NULL, NULL),
	('f67d215c-cd99-5cdf-bed4-5814405d18cd', 'unknown', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:29.381472+00', 'seen', NULL, NULL, NULL),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', 'a', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:24.280838+00', 'imported', NULL, 600, NULL),
	('bff53698-76c0-5169-af6d-cc205f23222f', 'b', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 18:06:24.280838+00', 'imported', NULL, 600, NULL);
INSERT INTO traffic.topics OVERRIDING SYSTEM VALUE VALUES
	(1, 'traffic-raw', 'e/69h6idR/K1aoPE+tdXHQ', 'tk2apx2XRzex56xXydhu0g', '2026-11-30 18:06:24.446053+00');
INSERT INTO traffic.traffic_readings_202510 VALUES
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:00:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:28.293+00', 1, 0, 4, '2026-10-21 16:06:24.564456+00', '2026-10-21 16:06:24.564456+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:00:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:24.356+00', 1, 1, 0, '2026-10-21 16:06:24.564456+00', '2026-10-21 16:06:24.564456+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:10:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:29.447+00', 1, 0, 9, '2026-10-21 16:06:25.638134+00', '2026-10-21 16:06:25.638134+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:10:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:25.46+00', 1, 1, 3, '2026-10-21 16:06:25.638134+00', '2026-10-21 16:06:25.638134+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:20:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:29.759+00', 1, 0, 14, '2026-10-21 17:06:25.909473+00', '2026-10-21 17:06:25.909473+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:20:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:25.768+00', 1, 1, 6, '2026-10-21 17:06:25.909473+00', '2026-10-21 17:06:25.909473+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:30:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:29.99+00', 1, 0, 19, '2026-10-21 17:06:26.137792+00', '2026-10-21 17:06:26.137792+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 12:30:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:25.997+00', 1, 1, 9, '2026-10-21 17:06:26.137792+00', '2026-10-21 17:06:26.137792+00', DEFAULT),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-10-04 12:01:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:26.231+00', 1, 1, 12, '2026-10-21 18:06:26.602339+00', '2026-10-21 18:06:26.602339+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 20:20:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:26.64+00', 1, 1, 15, '2026-10-21 18:06:26.8307+00', '2026-10-21 18:06:26.8307+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 17:02:00+00', 1, NULL, NULL, 0.5, 8, '2026-05-14 18:06:30.224+00', 1, 0, 22, '2026-10-21 18:06:28.365115+00', '2026-10-21 18:06:28.365115+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 17:00:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:28.224+00', 1, 0, 20, '2026-10-21 18:06:28.365115+00', '2026-10-21 18:06:28.365115+00', DEFAULT),
	('0b414101-8e39-50e3-967d-e6e8c9b64d7d', '2025-10-04 12:00:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:28.231+00', 1, 1, 14, '2026-10-21 18:06:29.384189+00', '2026-10-21 18:06:29.384189+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 12:03:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:31.224+00', 1, 0, 23, '2026-10-21 18:06:29.384189+00', '2026-10-21 18:06:29.384189+00', DEFAULT),
	('f67d215c-cd99-5cdf-bed4-5814405d18cd', '2025-10-04 17:01:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:29.224+00', 1, 0, 21, '2026-10-21 18:06:29.384189+00', '2026-10-21 18:06:29.384189+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-10-04 17:10:00+00', 9, NULL, NULL, 1, 0, '2026-05-14 18:06:33.832+00', 1, 0, 27, '2026-11-30 18:06:30.98316+00', '2026-11-30 18:06:30.98316+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 17:12:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:30.84+00', 1, 1, 17, '2026-11-30 18:06:30.98316+00', '2026-11-30 18:06:30.98316+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-10-04 17:22:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:33.068+00', 1, 1, 20, '2026-11-30 18:06:31.337894+00', '2026-11-30 18:06:31.337894+00', DEFAULT);
INSERT INTO traffic.traffic_readings_202511 VALUES
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:00:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:25.293+00', 1, 0, 1, '2026-10-21 16:06:24.564456+00', '2026-10-21 16:06:24.564456+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:00:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:26.356+00', 1, 1, 2, '2026-10-21 16:06:24.564456+00', '2026-10-21 16:06:24.564456+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:10:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:26.447+00', 1, 0, 6, '2026-10-21 16:06:25.638134+00', '2026-10-21 16:06:25.638134+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:10:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:27.46+00', 1, 1, 5, '2026-10-21 16:06:25.638134+00', '2026-10-21 16:06:25.638134+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:20:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:26.759+00', 1, 0, 11, '2026-10-21 17:06:25.909473+00', '2026-10-21 17:06:25.909473+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:20:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:27.768+00', 1, 1, 8, '2026-10-21 17:06:25.909473+00', '2026-10-21 17:06:25.909473+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 12:30:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:26.99+00', 1, 0, 16, '2026-10-21 17:06:26.137792+00', '2026-10-21 17:06:26.137792+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 12:30:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:27.997+00', 1, 1, 11, '2026-10-21 17:06:26.137792+00', '2026-10-21 17:06:26.137792+00', DEFAULT),
	('afed5552-4852-5333-9209-04eb580fc106', '2025-11-03 12:02:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:27.231+00', 1, 1, 13, '2026-10-21 18:06:26.602339+00', '2026-10-21 18:06:26.602339+00', DEFAULT),
	('9973aa48-666e-5dd4-bd13-3b1da62deb1f', '2025-11-03 20:21:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:27.64+00', 1, 1, 16, '2026-10-21 18:06:26.8307+00', '2026-10-21 18:06:26.8307+00', DEFAULT),
	('bff53698-76c0-5169-af6d-cc205f23222f', '2025-11-03 17:11:00+00', 55, NULL, NULL, 1, 0, '2026-05-14 18:06:31.832+00', 1, 0, 25, '2026-11-30 18:06:30.98316+00', '2026-11-30 18:06:30.98316+00', DEFAULT);
SELECT pg_catalog.setval('traffic.api_keys_key_id_seq', 1, true);
SELECT pg_catalog.setval('traffic.batch_ids', 578, true);
SELECT pg_catalog.setval('traffic.dirty_buckets_dirty_no_seq', 10, true);
SELECT pg_catalog.setval('traffic.topics_topic_no_seq', 1, true);
ALTER TABLE ONLY public.traffic_alembic_version
    ADD CONSTRAINT traffic_alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY traffic.api_keys
    ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);
ALTER TABLE ONLY traffic.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (key_id);
ALTER TABLE ONLY traffic.detector_health
    ADD CONSTRAINT detector_health_pkey PRIMARY KEY (sensor_id, date);
ALTER TABLE ONLY traffic.diagnosed_dates
    ADD CONSTRAINT diagnosed_dates_pkey PRIMARY KEY (date);
ALTER TABLE ONLY traffic.dirty_buckets
    ADD CONSTRAINT dirty_buckets_pkey PRIMARY KEY (dirty_no);
ALTER TABLE ONLY traffic.dropped_rows
    ADD CONSTRAINT dropped_rows_pkey PRIMARY KEY (table_name, lower_bound, topic_no, partition);
ALTER TABLE ONLY traffic.folded_logs
    ADD CONSTRAINT folded_logs_pkey PRIMARY KEY (topic_no, partition);
ALTER TABLE ONLY traffic.kafka_offsets
    ADD CONSTRAINT kafka_offsets_pkey PRIMARY KEY (topic_no, partition);
ALTER TABLE ONLY traffic.lost_ranges
    ADD CONSTRAINT lost_ranges_pkey PRIMARY KEY (topic_no, partition, first_offset);
ALTER TABLE ONLY traffic.micro_batches
    ADD CONSTRAINT micro_batches_pkey PRIMARY KEY (batch_id, topic_no, partition);
ALTER TABLE ONLY traffic.partition_leases
    ADD CONSTRAINT partition_leases_pkey PRIMARY KEY (topic, partition);
ALTER TABLE ONLY traffic.platform_keys
    ADD CONSTRAINT platform_keys_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY traffic.platform
    ADD CONSTRAINT platform_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY traffic.publications
    ADD CONSTRAINT publications_pkey PRIMARY KEY (topic_no, partition, route);
ALTER TABLE ONLY traffic.quarantined_events
    ADD CONSTRAINT quarantined_events_pkey PRIMARY KEY (topic_no, partition, "offset");
ALTER TABLE ONLY traffic.reading_counts
    ADD CONSTRAINT reading_counts_pkey PRIMARY KEY (span_s, start);
ALTER TABLE ONLY traffic.readings_5min
    ADD CONSTRAINT readings_5min_pkey PRIMARY KEY (sensor_id, bucket);
ALTER TABLE ONLY traffic.readings_daily
    ADD CONSTRAINT readings_daily_pkey PRIMARY KEY (sensor_id, date);
ALTER TABLE ONLY traffic.readings_hourly
    ADD CONSTRAINT readings_hourly_pkey PRIMARY KEY (sensor_id, hour);
ALTER TABLE ONLY traffic.rebuilds
    ADD CONSTRAINT rebuilds_pkey PRIMARY KEY (batch_id);
ALTER TABLE ONLY traffic.rebuilt_events
    ADD CONSTRAINT rebuilt_events_pkey PRIMARY KEY (topic_no, partition, "offset", batch_id);
ALTER TABLE ONLY traffic.replayed_events
    ADD CONSTRAINT replayed_events_pkey PRIMARY KEY (topic_no, partition, replay_no);
ALTER TABLE ONLY traffic.replayed_events
    ADD CONSTRAINT replayed_events_topic_no_partition_offset_key UNIQUE (topic_no, partition, "offset");
ALTER TABLE ONLY traffic.sensors
    ADD CONSTRAINT sensors_external_id_key UNIQUE (external_id);
ALTER TABLE ONLY traffic.sensors
    ADD CONSTRAINT sensors_pkey PRIMARY KEY (sensor_id);
ALTER TABLE ONLY traffic.topics
    ADD CONSTRAINT topics_pkey PRIMARY KEY (topic_no);
ALTER TABLE ONLY traffic.traffic_readings
    ADD CONSTRAINT traffic_readings_pkey PRIMARY KEY (sensor_id, "timestamp");
ALTER TABLE ONLY traffic.traffic_readings_202510
    ADD CONSTRAINT traffic_readings_202510_pkey PRIMARY KEY (sensor_id, "timestamp");
ALTER TABLE ONLY traffic.traffic_readings_202511
    ADD CONSTRAINT traffic_readings_202511_pkey PRIMARY KEY (sensor_id, "timestamp");
ALTER TABLE ONLY traffic.traffic_readings_202611
    ADD CONSTRAINT traffic_readings_202611_pkey PRIMARY KEY (sensor_id, "timestamp");
CREATE UNIQUE INDEX api_keys_name_idx ON traffic.api_keys USING btree (name) WHERE (revoked_at IS NULL);
CREATE INDEX detector_health_date_diagnosis_idx ON traffic.detector_health USING btree (date, diagnosis);
CREATE UNIQUE INDEX kafka_offsets_topic_partition_idx ON traffic.kafka_offsets USING btree (topic, partition) WHERE active;
CREATE INDEX micro_batches_by_number ON traffic.micro_batches USING btree (topic_no, partition, batch_id);
CREATE INDEX micro_batches_committed_at_idx ON traffic.micro_batches USING btree (committed_at);
CREATE INDEX micro_batches_event_dates_idx ON traffic.micro_batches USING gin (event_dates);
CREATE INDEX micro_batches_run_id_idx ON traffic.micro_batches USING btree (run_id);
CREATE INDEX micro_batches_run_ids_idx ON traffic.micro_batches USING gin (run_ids) WHERE (run_ids IS NOT NULL);
CREATE INDEX micro_batches_topic_no_partition_batch_id_idx ON traffic.micro_batches USING btree (topic_no, partition, batch_id) WHERE (kind <> 'window'::text);
CREATE INDEX micro_batches_topic_no_partition_first_offset_idx ON traffic.micro_batches USING btree (topic_no, partition, first_offset);
CREATE INDEX processed_events_batch_id_idx ON ONLY traffic.processed_events USING btree (batch_id);
CREATE INDEX processed_events_202510_batch_id_idx ON traffic.processed_events_202510 USING btree (batch_id);
CREATE INDEX processed_events_202511_batch_id_idx ON traffic.processed_events_202511 USING btree (batch_id);
CREATE INDEX processed_events_202611_batch_id_idx ON traffic.processed_events_202611 USING btree (batch_id);
CREATE INDEX quarantined_events_event_date_reason_idx ON traffic.quarantined_events USING btree (event_date, reason);
CREATE INDEX quarantined_events_quarantined_at_idx ON traffic.quarantined_events USING btree (quarantined_at) WHERE (resolved_at IS NULL);
CREATE INDEX quarantined_events_reason_idx ON traffic.quarantined_events USING btree (reason) WHERE (resolved_at IS NULL);
CREATE INDEX raw_events_batch_id_idx ON ONLY traffic.raw_events USING brin (batch_id) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX raw_events_20261130_batch_id_idx ON traffic.raw_events_20261130 USING brin (batch_id) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX raw_events_20261201_batch_id_idx ON traffic.raw_events_20261201 USING brin (batch_id) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX reading_changes_start_idx ON traffic.reading_changes USING btree (start);
CREATE INDEX readings_5min_bucket_idx ON traffic.readings_5min USING btree (bucket);
CREATE INDEX readings_daily_date_idx ON traffic.readings_daily USING btree (date);
CREATE INDEX readings_hourly_hour_idx ON traffic.readings_hourly USING btree (hour);
CREATE INDEX rebuilds_date_idx ON traffic.rebuilds USING btree (date);
CREATE INDEX rebuilt_events_batch_id_idx ON traffic.rebuilt_events USING btree (batch_id);
CREATE INDEX topics_name_idx ON traffic.topics USING btree (name);
CREATE INDEX traffic_readings_202510_in_order ON traffic.traffic_readings_202510 USING btree ("timestamp", sensor_id);
CREATE INDEX traffic_readings_by_time ON ONLY traffic.traffic_readings USING brin ("timestamp") WITH (pages_per_range='64', autosummarize='on');
CREATE INDEX traffic_readings_202510_timestamp_idx ON traffic.traffic_readings_202510 USING brin ("timestamp") WITH (pages_per_range='64', autosummarize='on');
CREATE INDEX traffic_readings_202511_in_order ON traffic.traffic_readings_202511 USING btree ("timestamp", sensor_id);
CREATE INDEX traffic_readings_202511_timestamp_idx ON traffic.traffic_readings_202511 USING brin ("timestamp") WITH (pages_per_range='64', autosummarize='on');
CREATE INDEX traffic_readings_202611_timestamp_idx ON traffic.traffic_readings_202611 USING brin ("timestamp") WITH (pages_per_range='64', autosummarize='on');
ALTER INDEX traffic.processed_events_batch_id_idx ATTACH PARTITION traffic.processed_events_202510_batch_id_idx;
ALTER INDEX traffic.processed_events_batch_id_idx ATTACH PARTITION traffic.processed_events_202511_batch_id_idx;
ALTER INDEX traffic.processed_events_batch_id_idx ATTACH PARTITION traffic.processed_events_202611_batch_id_idx;
ALTER INDEX traffic.raw_events_batch_id_idx ATTACH PARTITION traffic.raw_events_20261130_batch_id_idx;
ALTER INDEX traffic.raw_events_batch_id_idx ATTACH PARTITION traffic.raw_events_20261201_batch_id_idx;
ALTER INDEX traffic.traffic_readings_pkey ATTACH PARTITION traffic.traffic_readings_202510_pkey;
ALTER INDEX traffic.traffic_readings_by_time ATTACH PARTITION traffic.traffic_readings_202510_timestamp_idx;
ALTER INDEX traffic.traffic_readings_pkey ATTACH PARTITION traffic.traffic_readings_202511_pkey;
ALTER INDEX traffic.traffic_readings_by_time ATTACH PARTITION traffic.traffic_readings_202511_timestamp_idx;
ALTER INDEX traffic.traffic_readings_pkey ATTACH PARTITION traffic.traffic_readings_202611_pkey;
ALTER INDEX traffic.traffic_readings_by_time ATTACH PARTITION traffic.traffic_readings_202611_timestamp_idx;
ALTER TABLE ONLY traffic.detector_health
    ADD CONSTRAINT detector_health_sensor_id_fkey FOREIGN KEY (sensor_id) REFERENCES traffic.sensors(sensor_id);
ALTER TABLE ONLY traffic.dropped_rows
    ADD CONSTRAINT dropped_rows_topic_no_fkey FOREIGN KEY (topic_no) REFERENCES traffic.topics(topic_no);
ALTER TABLE ONLY traffic.folded_logs
    ADD CONSTRAINT folded_logs_topic_no_fkey FOREIGN KEY (topic_no) REFERENCES traffic.topics(topic_no);
ALTER TABLE ONLY traffic.kafka_offsets
    ADD CONSTRAINT kafka_offsets_topic_no_fkey FOREIGN KEY (topic_no) REFERENCES traffic.topics(topic_no);
ALTER TABLE ONLY traffic.lost_ranges
    ADD CONSTRAINT lost_ranges_topic_no_fkey FOREIGN KEY (topic_no) REFERENCES traffic.topics(topic_no);
ALTER TABLE ONLY traffic.micro_batches
    ADD CONSTRAINT micro_batches_topic_no_fkey FOREIGN KEY (topic_no) REFERENCES traffic.topics(topic_no);
ALTER TABLE ONLY traffic.publications
    ADD CONSTRAINT publications_topic_no_fkey FOREIGN KEY (topic_no) REFERENCES traffic.topics(topic_no);
ALTER TABLE ONLY traffic.rebuilt_events
    ADD CONSTRAINT rebuilt_events_topic_no_fkey FOREIGN KEY (topic_no) REFERENCES traffic.topics(topic_no);
ALTER TABLE ONLY traffic.replayed_events
    ADD CONSTRAINT replayed_events_topic_no_fkey FOREIGN KEY (topic_no) REFERENCES traffic.topics(topic_no);
ALTER TABLE traffic.traffic_readings
    ADD CONSTRAINT traffic_readings_sensor_id_fkey FOREIGN KEY (sensor_id) REFERENCES traffic.sensors(sensor_id);
GRANT USAGE ON SCHEMA traffic TO traffic_read;
GRANT USAGE ON SCHEMA traffic TO traffic_ingest;
REVOKE ALL ON FUNCTION traffic.drop_partition(parent text, day date, counted bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION traffic.drop_partition(parent text, day date, counted bigint) TO traffic_ingest;
REVOKE ALL ON FUNCTION traffic.ensure_partition(parent text, day date) FROM PUBLIC;
GRANT ALL ON FUNCTION traffic.ensure_partition(parent text, day date) TO traffic_ingest;
REVOKE ALL ON FUNCTION traffic.find_api_keys(hashes bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION traffic.find_api_keys(hashes bytea[]) TO traffic_read;
GRANT SELECT,USAGE ON SEQUENCE traffic.api_keys_key_id_seq TO traffic_ingest;
GRANT SELECT,USAGE ON SEQUENCE traffic.batch_ids TO traffic_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.detector_health TO traffic_ingest;
GRANT SELECT ON TABLE traffic.detector_health TO traffic_read;
GRANT SELECT ON TABLE traffic.sensors TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.sensors TO traffic_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.detector_health_detail TO traffic_ingest;
GRANT SELECT ON TABLE traffic.detector_health_detail TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.diagnosed_dates TO traffic_ingest;
GRANT SELECT ON TABLE traffic.diagnosed_dates TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.dirty_buckets TO traffic_ingest;
GRANT SELECT ON TABLE traffic.dirty_buckets TO traffic_read;
GRANT SELECT,USAGE ON SEQUENCE traffic.dirty_buckets_dirty_no_seq TO traffic_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.dropped_rows TO traffic_ingest;
GRANT SELECT ON TABLE traffic.dropped_rows TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.dropped_logs TO traffic_ingest;
GRANT SELECT ON TABLE traffic.dropped_logs TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.folded_logs TO traffic_ingest;
GRANT SELECT ON TABLE traffic.folded_logs TO traffic_read;
GRANT SELECT ON TABLE traffic.kafka_offsets TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.kafka_offsets TO traffic_ingest;
GRANT SELECT ON TABLE traffic.lost_ranges TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.lost_ranges TO traffic_ingest;
GRANT SELECT ON TABLE traffic.micro_batches TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.micro_batches TO traffic_ingest;
GRANT SELECT ON TABLE traffic.partition_leases TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.partition_leases TO traffic_ingest;
GRANT SELECT ON TABLE traffic.platform TO traffic_read;
GRANT SELECT ON TABLE traffic.platform TO traffic_ingest;
GRANT SELECT ON TABLE traffic.platform_keys TO traffic_ingest;
GRANT SELECT ON TABLE traffic.processed_events TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.processed_events TO traffic_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.processed_events_202510 TO traffic_ingest;
GRANT SELECT ON TABLE traffic.processed_events_202510 TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.processed_events_202511 TO traffic_ingest;
GRANT SELECT ON TABLE traffic.processed_events_202511 TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.processed_events_202611 TO traffic_ingest;
GRANT SELECT ON TABLE traffic.processed_events_202611 TO traffic_read;
GRANT SELECT ON TABLE traffic.topics TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.topics TO traffic_ingest;
GRANT SELECT ON TABLE traffic.processed_events_detail TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.processed_events_detail TO traffic_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.publications TO traffic_ingest;
GRANT SELECT ON TABLE traffic.publications TO traffic_read;
GRANT SELECT ON TABLE traffic.quarantined_events TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.quarantined_events TO traffic_ingest;
GRANT SELECT ON TABLE traffic.quarantined_events_detail TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.quarantined_events_detail TO traffic_ingest;
GRANT SELECT ON TABLE traffic.raw_events TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.raw_events TO traffic_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.raw_events_20261130 TO traffic_ingest;
GRANT SELECT ON TABLE traffic.raw_events_20261130 TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.raw_events_20261201 TO traffic_ingest;
GRANT SELECT ON TABLE traffic.raw_events_20261201 TO traffic_read;
GRANT SELECT ON TABLE traffic.raw_events_json TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.raw_events_json TO traffic_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.reading_changes TO traffic_ingest;
GRANT SELECT ON TABLE traffic.reading_changes TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.reading_counts TO traffic_ingest;
GRANT SELECT ON TABLE traffic.reading_counts TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.readings_5min TO traffic_ingest;
GRANT SELECT ON TABLE traffic.readings_5min TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.readings_daily TO traffic_ingest;
GRANT SELECT ON TABLE traffic.readings_daily TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.readings_hourly TO traffic_ingest;
GRANT SELECT ON TABLE traffic.readings_hourly TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.rebuilds TO traffic_ingest;
GRANT SELECT ON TABLE traffic.rebuilds TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.rebuilt_events TO traffic_ingest;
GRANT SELECT ON TABLE traffic.rebuilt_events TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.replayed_events TO traffic_ingest;
GRANT SELECT ON TABLE traffic.replayed_events TO traffic_read;
GRANT SELECT,USAGE ON SEQUENCE traffic.topics_topic_no_seq TO traffic_ingest;
GRANT SELECT ON TABLE traffic.traffic_readings TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.traffic_readings TO traffic_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.traffic_readings_202510 TO traffic_ingest;
GRANT SELECT ON TABLE traffic.traffic_readings_202510 TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.traffic_readings_202511 TO traffic_ingest;
GRANT SELECT ON TABLE traffic.traffic_readings_202511 TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.traffic_readings_202611 TO traffic_ingest;
GRANT SELECT ON TABLE traffic.traffic_readings_202611 TO traffic_read;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE traffic.traffic_readings_detail TO traffic_ingest;
GRANT SELECT ON TABLE traffic.traffic_readings_detail TO traffic_read;
ALTER DEFAULT PRIVILEGES IN SCHEMA traffic GRANT SELECT,USAGE ON SEQUENCES TO traffic_ingest;
ALTER DEFAULT PRIVILEGES IN SCHEMA traffic GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES TO traffic_ingest;
ALTER DEFAULT PRIVILEGES IN SCHEMA traffic GRANT SELECT ON TABLES TO traffic_read;
