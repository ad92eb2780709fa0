"""Proof that the tables hold the messages that Kafka delivered, with a name for each difference.

A verification compares Kafka's offsets, the ledger, the audit rows and the event tables in
set-based SQL. A deep verification also reads every message that Kafka still holds and compares it
with raw byte for byte. It decodes all of raw again with today's rules, and compares the outcomes
row by row. Both compare readings with their events, so a deep one proves all three tables.

    verify          a verification from end to end
    snapshot        the transaction in which it reads the database
    ledger_sums     ranges, sums and losses of the ledger; Kafka's offsets
    event_rows      event tables against each other and against the audit rows
    deep            raw against Kafka and against its outcomes: reads with stored_rows, compares
                    with compare, and excuses differences with dropped and stale_rules
    order           order times of raw messages, for deep
    clean_stream    published messages against processed events
    verify_report   findings and figures
"""

from traffic_platform.verify.verify import verify
from traffic_platform.verify.verify_report import Finding, VerifyReport

__all__ = ["Finding", "VerifyReport", "verify"]
