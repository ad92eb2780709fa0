"""Proof that what Kafka delivered is what the tables hold, and a name for what differs.

A look at the tables (always) compares Kafka's offsets, the ledger, the audit rows and the event
tables in set-based SQL. A deep look also reads every message that Kafka still holds, compares it
with raw byte for byte, decodes all of raw again by today's rules, and compares the outcomes row by
row. Readings are compared with the events that they are of in both, so that all three tables are
compared with Kafka.

    ledger      ranges, sums and losses; Kafka's offsets
    tables      rows against each other and against their audit row
    deep        walks the logs: stored (rows), ingest.kafka_log (messages), compare (both)
    report      what was found
"""

from traffic_platform.verify.verify import verify
from traffic_platform.verify.verify_report import Finding, VerifyReport

__all__ = ["Finding", "VerifyReport", "verify"]
