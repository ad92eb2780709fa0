"""Ingest: Kafka to PostgreSQL, exactly once.

    drain     an ingest run: locks partitions, and drains micro-batches for a while
    session   one connection and one consumer: polls, decodes, admits and encodes a batch
    writer    writes one batch at a time in a transaction, beside the session
    totals    sums over the batches of a run

Everything else relies on this order within a micro-batch:

1. Poll messages from Kafka, decode, admit and encode them. No transaction is open.
2. Ask Kafka whether the topic is still the one that the ledger knows.
3. Write in one transaction: advance `next_offset` by compare-and-set, write raw, processed,
   readings, quarantine and the audit row, commit.
4. Commit the offset to the Kafka group, for lag tools only.
"""
