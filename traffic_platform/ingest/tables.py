"""Writing a micro-batch into the tables, inside the transaction that moves the ledger."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

import psycopg

from traffic_platform.ingest.batch import Batch, PartitionAudit
from traffic_platform.ingest.ledger import advance
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]

# Held shared by every window's transaction and exclusively, for a short time, by rebuild and
# replay: a live row must not lose to a winner that a rebuild is about to remove.
REBUILD_LOCK = 7_204_511_002


class Tables:
    """The event tables over one connection. Remembers which partitions and sensors are there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._partitions: set[tuple[str, date]] = set()
        self._sensors: set[bytes] = set()
        self._connection.execute(statement("ingest/create_incoming"))

    def prepare(self, batch: Batch) -> None:
        """Make the partitions and sensors that a batch needs, in short transactions before it."""
        arrival = datetime.fromtimestamp(batch.ingested_at_us / 1e6, UTC).date()
        self._ensure_partitions("raw_events", {arrival, arrival + timedelta(days=1)})
        self._ensure_partitions("processed_events", batch.months)
        self._ensure_partitions("traffic_readings", batch.months)
        self._register_sensors(batch.sensors)

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
        advance(self._connection, [audit.move for audit in batch.audits])
        self._copy(cursor, "ingest/copy_raw", batch.raw)
        self._copy(cursor, "ingest/copy_processed", batch.processed)
        self._store_readings(cursor, batch, upsert_all=upsert_all)
        self._copy(cursor, "ingest/copy_quarantined", batch.quarantined)
        self._write_audit(cursor, batch, run_id, rules_version)

    def reserve_batch_ids(self, count: int) -> list[int]:
        """Numbers that no other batch has or will have, in ascending order."""
        query = "select nextval('traffic.batch_ids') from generate_series(1, %s)"
        return [int(number) for (number,) in self._connection.execute(query, (count,)).fetchall()]

    @staticmethod
    def _copy(cursor: psycopg.Cursor[Any], name: LiteralString, rows: bytes | None) -> None:
        if rows is not None:
            with cursor.copy(statement(name)) as copy:
                copy.write(rows)

    def _store_readings(
        self, cursor: psycopg.Cursor[Any], batch: Batch, *, upsert_all: bool
    ) -> None:
        upserted: dict[tuple[int, int], tuple[int, int]] = {}
        incoming = [batch.known_readings]
        if upsert_all:
            incoming.append(batch.new_readings)
        else:
            self._copy(cursor, "ingest/copy_readings", batch.new_readings)
        if any(incoming):
            for rows in incoming:
                self._copy(cursor, "ingest/copy_incoming", rows)
            now = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=batch.ingested_at_us)
            cursor.execute(statement("ingest/upsert_readings"), {"now": now})
            upserted = {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}
        for audit in batch.audits:
            key = (audit.move.topic_no, audit.move.partition)
            inserted, updated = upserted.get(key, (0, 0))
            audit.inserted = inserted + (0 if upsert_all else audit.new)
            audit.updated = updated + audit.replaced
            audit.unchanged = audit.processed - audit.inserted - audit.updated

    @staticmethod
    def _write_audit(
        cursor: psycopg.Cursor[Any], batch: Batch, run_id: str | None, rules_version: str
    ) -> None:
        cursor.executemany(
            statement("ingest/write_audit"),
            [_audit_row(audit, batch.batch_id, run_id, rules_version) for audit in batch.audits],
        )

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
                statement("ingest/register_sensors"),
                {"ids": [key.hex() for key in new], "external_ids": [sensors[key] for key in new]},
            )
        self._sensors.update(new)


def _audit_row(
    audit: PartitionAudit, batch_id: int, run_id: str | None, rules_version: str
) -> dict[str, object]:
    move = audit.move
    return {
        "batch_id": batch_id,
        "topic_no": move.topic_no,
        "partition": move.partition,
        "first_offset": move.first_offset,
        "next_offset": move.next_offset,
        "delivered": audit.delivered,
        "raw": audit.raw,
        "processed": audit.processed,
        "quarantined": audit.quarantined,
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
        "rules_version": rules_version,
        "run_id": run_id,
    }
