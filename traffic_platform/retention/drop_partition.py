"""The transaction in which a partition goes: its rows, what they are to the audit, and the note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, LiteralString

from traffic_platform.event_tables.write import BACKFILL_LOCK
from traffic_platform.faults import FaultPoint
from traffic_platform.postgres.event_partitions import Connection, Parent, Partition
from traffic_platform.postgres.lock_retry import LOCK_TIMEOUT
from traffic_platform.retention.partition_counts import Counted, newest_correction
from traffic_platform.statements import statement

_ACCOUNT: Final[dict[Parent, LiteralString]] = {
    "raw_events": "retention/account_raw",
    "processed_events": "retention/account_processed",
}
_COUNTS: Final[tuple[LiteralString, ...]] = ("retention/forget_changes", "retention/forget_counts")


class ChangedError(Exception):
    """The partition is not what was counted any more: count it again."""


def drop(
    connection: Connection,
    partition: Partition,
    counted: Counted,
    archives: Sequence[str],
    passed: Callable[[FaultPoint], None],
) -> bool:
    """Drop a partition that was just counted in this session, in one transaction; True.

    Windows go on: only the last step, some milliseconds, needs the parent table for itself, and
    waits for LOCK_TIMEOUT at most. Raises ChangedError, LockNotAvailable, psycopg.Error; then
    nothing has happened.
    """
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
        # Shared, like a window: it keeps out replays and rebuilds, which alter old rows.
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
    """Readings that are gone are counted no more. What is appended first: a fold may add it up."""
    if partition.parent == "traffic_readings":
        bounds = {"lower": partition.lower, "upper": partition.upper}
        for name in _COUNTS:
            connection.execute(statement(name), bounds)
