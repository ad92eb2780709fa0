"""The ledger in PostgreSQL: offsets, reconciliation with Kafka, and partition locks."""
