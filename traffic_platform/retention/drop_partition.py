"""The transaction that drops a partition and accounts for its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, LiteralString

from traffic_platform.event_tables.write import BACKFILL_LOCK
from traffic_platform.faults import FaultPoint
from traffic_platform.postgres.connections import Connection
from traffic_platform.postgres.event_partitions import Parent, Partition
from traffic_platform.postgres.lock_retry import LOCK_TIMEOUT
from traffic_platform.retention.partition_counts import Counted, newest_correction
from traffic_platform.statements import statement

_ACCOUNT: Final[dict[Parent, LiteralString]] = {
    "raw_events": "retention/account_raw",
    "processed_events": "retention/account_processed",
}
_COUNTS: Final[tuple[LiteralString, ...]] = ("retention/forget_changes", "retention/forget_counts")


class ChangedError(Exception):
    """The partition changed since it was counted. Count it again."""


def drop(
    connection: Connection,
    partition: Partition,
    counted: Counted,
    archives: Sequence[str],
    passed: Callable[[FaultPoint], None],
) -> bool:
    """Drop a partition that was counted in this session, in one transaction, and return True.

    Ingest continues meanwhile: only the last step, some milliseconds, locks the parent table, and
    waits for LOCK_TIMEOUT at most. Raises ChangedError, LockNotAvailable or psycopg.Error without
    any change.
    """
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
        # Shared, like ingest: it excludes backfills and reprocessing, which alter old rows.
        connection.execute("select pg_advisory_xact_lock_shared(%s)", (BACKFILL_LOCK,))
        if newest_correction(connection) != counted.corrections:
            raise ChangedError
        _account(connection, partition, archives)
        row = connection.execute(
            "select traffic.drop_partition(%s, %s, %s)",
            (partition.parent, partition.day, counted.rows),
        ).fetchone()
        if row is None or row[0] is None:
            raise ChangedError
        _forget_counts(connection, partition)
        passed("before_drop_commit")
    return True


def _account(connection: Connection, partition: Partition, archives: Sequence[str]) -> None:
    if partition.parent in _ACCOUNT:
        connection.execute(statement(_ACCOUNT[partition.parent]))
    connection.execute(
        statement("retention/record_drop"),
        {
            "parent": partition.parent,
            "lower": partition.lower,
            "upper": partition.upper,
            "archives": list(archives),
        },
    )


def _forget_counts(connection: Connection, partition: Partition) -> None:
    """Delete the counts of dropped readings, appended counts first: a roll-up may add these up."""
    if partition.parent == "traffic_readings":
        bounds = {"lower": partition.lower, "upper": partition.upper}
        for name in _COUNTS:
            connection.execute(statement(name), bounds)
