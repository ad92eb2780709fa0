"""Decode stored messages again with today's rules, and write only the differences.

    backfill         dates: raw from Kafka, processed events and readings from raw
    rejected         rejected messages, chunk by chunk
    stored_messages  stored messages as columns: from raw, quarantine, or the archive
    ranges           the offsets that hold the messages of a backfill's dates
    outcomes         the outcomes of these messages, in temporary tables
    restore_raw      messages that raw has lost and Kafka still holds
    dates            the differences of one date
    await_publisher  the wait for events that are published before they leave
    apply            the transaction that corrects the event tables

The comparison runs beside ingest runs. Ingest runs wait for the backfill lock only while a
transaction writes the differences of one date or chunk. A reader sees the date before or after.
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
