"""Decode stored messages again under today's rules, and apply only the differences.

    backfill         rebuilds dates: raw from Kafka, processed events and readings from raw
    quarantine       retries rejected messages, chunk by chunk
    stored_messages  stored messages as columns: from raw, quarantine, or the archive
    stage            outcomes of the messages of some dates, in temporary tables
    restore_raw      messages that raw has lost and Kafka still holds
    apply            the transaction that corrects a date

The comparison runs beside ingest runs. Ingest runs wait for the rebuild lock only while a
transaction applies the differences of one date: a reader sees the old date or the new one.
"""

from traffic_platform.reprocess.backfill import EVERY_TABLE, TableName, backfill_dates
from traffic_platform.reprocess.backfill_report import BackfillReport, DateReport
from traffic_platform.reprocess.rejected import ReprocessReport, reprocess_rejected

__all__ = [
    "EVERY_TABLE",
    "BackfillReport",
    "DateReport",
    "ReprocessReport",
    "TableName",
    "backfill_dates",
    "reprocess_rejected",
]
