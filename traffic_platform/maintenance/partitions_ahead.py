"""Partitions for what is to come, so that no batch has to wait for one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from traffic_platform.postgres.event_partitions import (
    Connection,
    Parent,
    Partition,
    next_month,
    read_partitions,
)
from traffic_platform.postgres.lock_retry import LockRetry

DAYS_AHEAD: Final = 7
MONTHS_AHEAD: Final = 3
_PARENTS: tuple[Parent, ...] = ("raw_events", "processed_events", "traffic_readings")


def missing_partitions(connection: Connection, now: datetime) -> list[Partition]:
    """The partitions from now on that should be there and are not."""
    there = {found for parent in _PARENTS for found in read_partitions(connection, parent)}
    return [wanted for wanted in _wanted(now) if wanted not in there]


def make_ahead(connection: Connection, now: datetime, patience: LockRetry) -> list[Partition]:
    """Make what is missing of the next days (raw) and months; what was made.

    A partition that another session keeps us from is left to the next time. Raises psycopg.Error.
    """
    return [
        partition
        for partition in missing_partitions(connection, now)
        if patience.run(lambda partition=partition: _make(connection, partition))
    ]


def _make(connection: Connection, partition: Partition) -> bool:
    # Attaches a table of its own, which does not wait for readers.
    with connection.transaction():
        connection.execute(
            "select traffic.ensure_partition(%s, %s)", (partition.parent, partition.day)
        )
    return True


def _wanted(now: datetime) -> Iterator[Partition]:
    now = now.astimezone(UTC)
    for days in range(DAYS_AHEAD + 1):
        yield Partition((now + timedelta(days=days)).date(), "raw_events")
    month = now.replace(day=1)
    for _ in range(MONTHS_AHEAD + 1):
        for parent in _PARENTS[1:]:
            yield Partition(month.date(), parent)
        month = next_month(month)
