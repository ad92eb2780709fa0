"""Writing a micro-batch into the tables, inside the transaction that moves the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, LiteralString

import psycopg

from traffic_platform.event_tables.audit import PartitionAudit
from traffic_platform.event_tables.batch import Batch
from traffic_platform.events.rules import UnknownSensors
from traffic_platform.ledger.offsets import advance_ledger
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]
Cursor = psycopg.Cursor[Any]

# Held shared by every window's transaction and exclusively, for a short time, by rebuild and
# replay: a live row must not lose to a winner that a rebuild is about to remove.
REBUILD_LOCK = 7_204_511_002

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_REMEMBERED = 500_000  # sensors; beyond, all are offered to the table again


class Tables:
    """The event tables over one connection. Remembers which partitions and sensors are there."""

    def __init__(self, connection: Connection, unknown_sensors: UnknownSensors) -> None:
        self.registers_sensors = unknown_sensors == "register"
        self._connection = connection
        self._partitions: set[tuple[str, date]] = set()
        self._sensors: set[bytes] = set()
        self._connection.execute(statement("event_tables/create_incoming"))

    def prepare(self, batch: Batch) -> None:
        """Make the partitions and sensors that a batch needs, in short transactions before it."""
        self.prepare_arrivals({batch.ingested_at_us})
        self.prepare_events(batch.months, batch.sensors)

    def prepare_arrivals(self, arrivals_us: set[int]) -> None:
        """Make the partitions of raw for messages that arrived then, and for the day after."""
        days = {datetime.fromtimestamp(moment / 1e6, UTC).date() for moment in arrivals_us}
        self._ensure_partitions("raw_events", days | {day + timedelta(days=1) for day in days})

    def prepare_events(self, months: set[date], sensors: dict[bytes, str]) -> None:
        """Make the partitions of these months, and the sensors unless they have to be known."""
        self._ensure_partitions("processed_events", months)
        self._ensure_partitions("traffic_readings", months)
        if self.registers_sensors:
            self._register_sensors(sensors)

    def forget(self) -> None:
        """Look partitions and sensors up again: one that was there has been deleted since."""
        self._partitions.clear()
        self._sensors.clear()

    def store(
        self, batch: Batch, run_id: str | None, rules_version: str, *, upsert_all: bool
    ) -> None:
        """Write all rows of the batch and move the ledger; the caller commits.

        Fills in the audit counts that only the table can tell. Raises LedgerMovedError when
        another window was faster, UniqueViolation when a reading that was taken for new is there
        already: then the batch is stored again with `upsert_all`.
        """
        cursor = self._connection.cursor()
        cursor.execute("select pg_advisory_xact_lock_shared(%s)", (REBUILD_LOCK,))
        advance_ledger(self._connection, [audit.advance for audit in batch.audits])
        copy_rows(cursor, "event_tables/copy_raw", batch.raw)
        copy_rows(cursor, "event_tables/copy_processed", batch.processed)
        self._store_readings(cursor, batch, upsert_all=upsert_all)
        copy_rows(cursor, "event_tables/copy_quarantined", batch.quarantined)
        copy_rows(cursor, "event_tables/copy_dirty_buckets", batch.dirty)
        write_audit(cursor, batch.audits, batch.batch_id, run_id, rules_version)

    def reserve_batch_ids(self, count: int) -> list[int]:
        """Numbers that no other batch has or will have, in ascending order."""
        query = "select nextval('traffic.batch_ids') from generate_series(1, %s)"
        return [int(number) for (number,) in self._connection.execute(query, (count,)).fetchall()]

    def _store_readings(
        self, cursor: psycopg.Cursor[Any], batch: Batch, *, upsert_all: bool
    ) -> None:
        upserted: dict[tuple[int, int], tuple[int, int]] = {}
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
    """Send a COPY stream to the statement of that name; None is no row."""
    if rows is not None:
        with cursor.copy(statement(name)) as copy:
            copy.write(rows)


def upsert_readings(
    cursor: Cursor, incoming: Iterable[bytes | None], moment_us: int
) -> dict[tuple[int, int], tuple[int, int]]:
    """Let the later of stored and incoming readings win.

    `moment_us` is when the incoming ones say that they were stored. Returns how many were inserted
    and how many changed a reading, by (topic_no, partition).
    """
    for rows in incoming:
        copy_rows(cursor, "event_tables/copy_incoming", rows)
    cursor.execute(statement("event_tables/upsert_readings"), {"now": to_moment(moment_us)})
    return {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}


def count_readings(
    audits: Iterable[PartitionAudit],
    upserted: dict[tuple[int, int], tuple[int, int]],
    *,
    copied: bool,
) -> None:
    """Fill in what became of the events; `copied`: new readings went in without the upsert."""
    for audit in audits:
        inserted, updated = upserted.get((audit.advance.topic_no, audit.advance.partition), (0, 0))
        audit.inserted = inserted + (audit.new if copied else 0)
        audit.updated = updated + audit.replaced
        audit.unchanged = audit.processed - audit.inserted - audit.updated


def to_moment(microseconds: int) -> datetime:
    """The time that is so long after 1970-01-01 UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def write_audit(
    cursor: Cursor,
    audits: Iterable[PartitionAudit],
    batch_id: int,
    run_id: str | None,
    rules_version: str,
    *,
    kind: Literal["window", "replay", "rebuild"] = "window",
    committed_at: datetime | None = None,
) -> None:
    """Write audit rows; without `committed_at` the transaction's own time counts."""
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
    move = audit.advance
    return {
        "topic_no": move.topic_no,
        "partition": move.partition,
        "first_offset": move.first_offset,
        "next_offset": move.next_offset,
        "delivered": audit.delivered,
        "raw": audit.raw,
        "processed": audit.processed,
        "quarantined": audit.quarantined,
        "echoes": audit.echoes,
        "inserted": audit.inserted,
        "updated": audit.updated,
        "unchanged": audit.unchanged,
        "event_dates": sorted(audit.dates),
        "date_counts": json.dumps(
            {
                day.isoformat(): {
                    "raw": counts.raw,
                    "processed": counts.processed,
                    "quarantined": counts.quarantined,
                }
                for day, counts in sorted(audit.dates.items())
            }
        ),
    }
