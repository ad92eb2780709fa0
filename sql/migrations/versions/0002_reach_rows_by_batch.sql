-- A block range that holds rows of several partitions spans all offsets between the lowest and the
-- highest, so ranges of offsets found little. Batches have ascending numbers and lie in their order;
-- micro_batches leads from an offset to its batch.
drop index traffic.raw_events_topic_no_partition_offset_batch_id_idx;
create index on traffic.raw_events
    using brin (batch_id) with (pages_per_range = 32, autosummarize = on);

-- Here a tree: what follows the newest rows reads them again and again, before any vacuum has
-- summarized them. All rows of a batch share one key, so the tree is small and grows at its end.
drop index traffic.processed_events_topic_no_partition_offset_batch_id_idx;
create index on traffic.processed_events (batch_id);

-- An exception block is a subtransaction, which parallel workers may not begin before PostgreSQL 17.
alter function traffic.try_jsonb(bytea) parallel unsafe;
