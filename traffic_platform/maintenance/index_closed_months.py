"""An index by time and sensor for closed months of readings.

Pages of a date are read in that order, and with the index a page costs PostgreSQL a third. During
the month the index would cost a writer an eighth of its speed, so a block range index serves until
then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from psycopg import errors, sql

from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.event_partitions import Partition
from traffic_platform.statements import statement

log = logging.getLogger(__name__)

# Not the maintenance lock: backfills wait for that, and an index waits for open transactions.
_INDEX_LOCK: Final = 7_204_511_005
_LOCK_TIMEOUT: Final = "5min"  # wait for a transaction; the next maintenance tries again
# Late data arrives for some days. Later rows enter the index too, only more slowly.
_CLOSED_FOR: Final = timedelta(days=7)


def unindexed_months(connection: Connection, now: datetime) -> list[Partition]:
    """Return closed months without this index. Raises psycopg.Error."""
    return [partition for partition, _ in _read_unindexed(connection, now)]


def index_closed_months(owner_url: str, now: datetime, stop: Callable[[], bool]) -> list[Partition]:
    """Create the missing indexes, and return their months.

    It waits for open transactions and blocks neither readers nor writers. It postpones the rest to
    the next call while a transaction stays open, or another session creates these indexes. An
    unfinished index is created again. Raises psycopg.Error.
    """
    done: list[Partition] = []
    with connect(owner_url, application_name="traffic-maintenance", autocommit=True) as connection:
        connection.execute(sql.SQL("set lock_timeout = {}").format(_LOCK_TIMEOUT))
        row = connection.execute("select pg_try_advisory_lock(%s)", (_INDEX_LOCK,)).fetchone()
        if row is None or not row[0]:
            return done
        for partition, remains in _read_unindexed(connection, now):
            if stop():
                break
            try:
                _index_month(connection, partition, remains)
            except errors.LockNotAvailable:
                log.warning("postponed the index of %s: a transaction stays open", partition.name)
                break
            done.append(partition)
    return done


def _index_month(connection: Connection, partition: Partition, remains: bool) -> None:
    index, table = (sql.Identifier(f"{partition.name}{end}") for end in ("_in_order", ""))
    if remains:
        drop = sql.SQL("drop index concurrently if exists traffic.{}")
        connection.execute(drop.format(index))
    create = sql.SQL('create index concurrently {} on traffic.{} ("timestamp", sensor_id)')
    connection.execute(create.format(index, table))


def _read_unindexed(connection: Connection, now: datetime) -> list[tuple[Partition, bool]]:
    rows = connection.execute(statement("maintenance/unindexed_months")).fetchall()
    months = [(Partition(day, "traffic_readings"), bool(remains)) for day, remains in rows]
    return [(month, remains) for month, remains in months if month.upper <= now - _CLOSED_FOR]
