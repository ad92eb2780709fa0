"""Kafka to PostgreSQL, exactly once: plan (lag), window (drain loop), ledger, locks, tables.

Order of effects in one micro-batch, which everything else relies on:

1. fetch from Kafka, decode, encode (no transaction is open);
2. ask Kafka whether the topic is still the one that the ledger knows;
3. one transaction: move `next_offset` by compare-and-set, write raw, processed, readings,
   quarantine and the audit row, commit;
4. commit the offset to the Kafka group, for lag tools only.
"""
