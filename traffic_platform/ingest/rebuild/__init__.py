"""Dates made again from what is kept: raw from Kafka, processed and readings from raw.

    messages stored messages as columns: raw, quarantine, archive
    stage    what the messages of the dates turn into by today's rules, in temporary tables
    raw      messages that raw has lost and Kafka still holds
    apply    the transaction that makes a date what it should be
    run      a rebuild from end to end

The comparison runs beside live windows. Only what differs is written, a transaction a date, while
windows wait for the rebuild lock: a reader sees the old date or the new one, and where nothing
differs nothing is written.
"""

from traffic_platform.ingest.rebuild.report import DateReport, RebuildReport
from traffic_platform.ingest.rebuild.run import EVERY_TABLE, TableName, rebuild_dates

__all__ = ["EVERY_TABLE", "DateReport", "RebuildReport", "TableName", "rebuild_dates"]
