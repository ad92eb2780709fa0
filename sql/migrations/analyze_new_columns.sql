-- The planner knows nothing of new columns, and vacuum never looks at months that are over. It reads a
-- sample of each partition and holds nobody up.
analyze traffic.processed_events (event_no, interval_s), traffic.traffic_readings (event_no, interval_s),
    traffic.quarantined_events (event_no), traffic.replayed_events (event_no),
    traffic.rebuilt_events (event_no), traffic.micro_batches (kind)
