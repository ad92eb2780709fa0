insert into traffic.micro_batches
    (batch_id, topic_no, partition, first_offset, next_offset, delivered, raw, processed,
     quarantined, echoes, inserted, updated, unchanged, superseded, order_floor, event_dates,
     date_counts, rules_version, run_id, kind, committed_at)
values
    (%(batch_id)s, %(topic_no)s, %(partition)s, %(first_offset)s, %(next_offset)s, %(delivered)s,
     %(raw)s, %(processed)s, %(quarantined)s, %(echoes)s, %(inserted)s, %(updated)s, %(unchanged)s,
     %(superseded)s, %(order_floor)s, %(event_dates)s, %(date_counts)s, %(rules_version)s, %(run_id)s,
     %(kind)s, coalesce(%(committed_at)s, now()))
