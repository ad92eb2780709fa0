"""Partitions for the coming days and months, so that no batch waits for a new one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from traffic_platform.postgres.connections import Connection
from traffic_platform.postgres.event_partitions import (
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
    """Return the missing partitions of the current and coming days and months."""
    existing = {found for parent in _PARENTS for found in read_partitions(connection, parent)}
    return [wanted for wanted in _wanted(now) if wanted not in existing]


def create_ahead(connection: Connection, now: datetime, lock_retry: LockRetry) -> list[Partition]:
    """Create and return the missing partitions of the coming days (raw) and months.

    A partition that another session blocks is left to the next call. Raises psycopg.Error.
    """
    return [
        partition
        for partition in missing_partitions(connection, now)
        if lock_retry.run(lambda partition=partition: _create(connection, partition))
    ]


def _create(connection: Connection, partition: Partition) -> bool:
    # The function attaches a separate table, which does not wait for readers.
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
