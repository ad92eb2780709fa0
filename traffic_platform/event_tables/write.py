"""Write a micro-batch into the tables, inside the transaction that advances the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, LiteralString

import psycopg

from traffic_platform.event_tables.audit import COUNTS, PartitionAudit
from traffic_platform.event_tables.batch import Batch
from traffic_platform.events.dates import from_microseconds
from traffic_platform.events.rules import UnknownSensors
from traffic_platform.ledger.offsets import advance_ledger
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

Cursor = psycopg.Cursor[Any]
Partition = tuple[int, int]  # topic_no, partition
UpsertCounts = tuple[int, int, int]  # inserted, changed and unchanged readings

# Every ingest transaction holds this lock shared. A backfill or reprocessing holds it exclusively
# for a short time: a live row must not lose to a winner that a backfill is about to remove.
BACKFILL_LOCK = 7_204_511_002

_MOST_REMEMBERED = 500_000  # sensors; beyond this number all are registered again


class Tables:
    """The event tables over one connection, with the partitions and sensors known to exist."""

    def __init__(self, connection: Connection, unknown_sensors: UnknownSensors) -> None:
        self.registers_sensors = unknown_sensors == "register"
        self._connection = connection
        self._partitions: set[tuple[str, date]] = set()
        self._sensors: set[bytes] = set()
        self._connection.execute(statement("event_tables/create_incoming"))

    def prepare(self, batch: Batch) -> None:
        """Create the partitions and sensors that a batch needs, in short transactions before it."""
        self.prepare_arrivals({batch.ingested_at_us})
        self.prepare_events(batch.months, batch.sensors)

    def prepare_arrivals(self, arrivals_us: set[int]) -> None:
        """Create the partitions of raw for these arrivals, and for the day after each."""
        days = {datetime.fromtimestamp(arrival / 1e6, UTC).date() for arrival in arrivals_us}
        self._ensure_partitions("raw_events", days | {day + timedelta(days=1) for day in days})

    def prepare_events(self, months: set[date], sensors: dict[bytes, str]) -> None:
        """Create the partitions of these months, and register new sensors where that is allowed."""
        self._ensure_partitions("processed_events", months)
        self._ensure_partitions("traffic_readings", months)
        if self.registers_sensors:
            self._register_sensors(sensors)

    def forget(self) -> None:
        """Create partitions and sensors again, because one of them was deleted."""
        self._partitions.clear()
        self._sensors.clear()

    def write(
        self, batch: Batch, run_id: str | None, rules_version: str, *, upsert_all: bool
    ) -> None:
        """Write all rows of the batch and advance the ledger; the caller commits.

        Fills in the audit counts that only the table can tell. Raises LedgerMovedError when another
        run was faster. Raises UniqueViolation when the table already holds a reading that passed as
        new; the caller then writes the batch again with `upsert_all`.
        """
        cursor = self._connection.cursor()
        cursor.execute("select pg_advisory_xact_lock_shared(%s)", (BACKFILL_LOCK,))
        advance_ledger(self._connection, [audit.advance for audit in batch.audits])
        copy_rows(cursor, "event_tables/copy_raw", batch.raw)
        copy_rows(cursor, "event_tables/copy_processed", batch.processed)
        self._write_readings(cursor, batch, upsert_all=upsert_all)
        copy_rows(cursor, "event_tables/copy_quarantined", batch.quarantined)
        copy_rows(cursor, "event_tables/copy_dirty_buckets", batch.dirty)
        write_audit(cursor, batch.audits, batch.batch_id, run_id, rules_version)

    def reserve_batch_ids(self, count: int) -> list[int]:
        """Return batch numbers that no other batch has or will have, in ascending order."""
        query = "select nextval('traffic.batch_ids') from generate_series(1, %s)"
        return [int(number) for (number,) in self._connection.execute(query, (count,)).fetchall()]

    def _write_readings(self, cursor: Cursor, batch: Batch, *, upsert_all: bool) -> None:
        upserted: dict[Partition, UpsertCounts] = {}
        incoming = [batch.known_readings]
        if upsert_all:
            incoming.append(batch.new_readings)
        else:
            copy_rows(cursor, "event_tables/copy_readings", batch.new_readings)
            copy_rows(cursor, "event_tables/copy_reading_changes", batch.new_counts)
        if any(incoming):
            upserted = upsert_readings(cursor, incoming, batch.ingested_at_us)
        count_readings(batch.audits, upserted, copied=not upsert_all)

    def _ensure_partitions(self, parent: str, days: set[date]) -> None:
        for day in sorted(days):
            if (parent, day) not in self._partitions:
                with self._connection.transaction():
                    self._connection.execute(
                        "select traffic.ensure_partition(%s, %s)", (parent, day)
                    )
                self._partitions.add((parent, day))

    def _register_sensors(self, sensors: dict[bytes, str]) -> None:
        new = sorted(key for key in sensors if key not in self._sensors)
        if not new:
            return
        with self._connection.transaction():
            self._connection.execute(
                statement("sensors/register_sensors"),
                {"ids": [key.hex() for key in new], "external_ids": [sensors[key] for key in new]},
            )
        if len(self._sensors) > _MOST_REMEMBERED:
            self._sensors.clear()
        self._sensors.update(new)


def copy_rows(cursor: Cursor, name: LiteralString, rows: bytes | None) -> None:
    """Send a COPY stream to the statement `name`; None stands for no row."""
    if rows is not None:
        with cursor.copy(statement(name)) as copy:
            copy.write(rows)


def upsert_readings(
    cursor: Cursor, incoming: Iterable[bytes | None], stored_us: int
) -> dict[Partition, UpsertCounts]:
    """Write incoming readings where they are later than the stored ones.

    `stored_us` is the storage time that the incoming readings carry.
    """
    for rows in incoming:
        copy_rows(cursor, "event_tables/copy_incoming", rows)
    cursor.execute(statement("event_tables/upsert_readings"), {"now": from_microseconds(stored_us)})
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in cursor.fetchall()}


def count_readings(
    audits: Iterable[PartitionAudit],
    upserted: dict[Partition, UpsertCounts],
    *,
    copied: bool,
) -> None:
    """Fill in the counts of readings; with `copied`, new readings did not take the upsert."""
    for audit in audits:
        key = audit.advance.topic_no, audit.advance.partition
        inserted, audit.updated, audit.unchanged = upserted.get(key, (0, 0, 0))
        audit.inserted = inserted + (audit.new if copied else 0)
        audit.superseded = audit.processed - audit.inserted - audit.updated - audit.unchanged


def write_audit(
    cursor: Cursor,
    audits: Iterable[PartitionAudit],
    batch_id: int,
    run_id: str | None,
    rules_version: str,
    *,
    kind: Literal["ingest", "reprocess", "backfill"] = "ingest",
    committed_at: datetime | None = None,
) -> None:
    """Write audit rows; `committed_at` defaults to the transaction's own time."""
    shared = {
        "batch_id": batch_id,
        "rules_version": rules_version,
        "run_id": run_id,
        "kind": kind,
        "committed_at": committed_at,
    }
    rows = [_audit_row(audit) | shared for audit in audits]
    cursor.executemany(statement("event_tables/write_audit"), rows)


def _audit_row(audit: PartitionAudit) -> dict[str, object]:
    advance = audit.advance
    date_counts = {
        day.isoformat(): {
            "raw": counts.raw,
            "processed": counts.processed,
            "quarantined": counts.quarantined,
        }
        for day, counts in sorted(audit.dates.items())
    }
    return {
        "topic_no": advance.topic_no,
        "partition": advance.partition,
        "first_offset": advance.first_offset,
        "next_offset": advance.next_offset,
        "order_floor": advance.order_floor,
        **{name: getattr(audit, name) for name in COUNTS},
        "event_dates": sorted(audit.dates),
        "date_counts": json.dumps(date_counts),
    }
