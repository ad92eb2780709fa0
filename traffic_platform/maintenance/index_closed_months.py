"""An index in the order of time and sensor for months of readings that are over.

Pages of a date are read in that order: with the index a page costs PostgreSQL a third. To keep it
while a month runs would cost a writer an eighth of its speed, so block ranges have to do till then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from psycopg import errors, sql

from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.event_partitions import Connection, Partition
from traffic_platform.statements import statement

log = logging.getLogger(__name__)

# Not upkeep's own: rebuilds wait for that one, and an index waits for every open transaction.
_ORDER_LOCK: Final = 7_204_511_005
_PATIENCE: Final = "5min"  # that an index waits for a transaction; the next upkeep tries again
# Late data comes for some days; it finds its way into the index, too, only more slowly.
_OVER_FOR: Final = timedelta(days=7)


def months_without_order(connection: Connection, now: datetime) -> list[Partition]:
    """Months that are over and have no such index yet. Raises psycopg.Error."""
    return [partition for partition, _ in _found(connection, now)]


def index_month(owner_url: str, now: datetime, stop: Callable[[], bool]) -> list[Partition]:
    """Make what is missing, and return for which months.

    Beside readers and writers: it waits for transactions that are open, nobody waits for it. While
    one stays open for long, or another process is at it (also one whose client is gone), the rest
    is left for the next time. What was left unfinished is made anew. Raises psycopg.Error.
    """
    done: list[Partition] = []
    with connect(owner_url, application_name="traffic-maintenance", autocommit=True) as connection:
        connection.execute(sql.SQL("set lock_timeout = {}").format(_PATIENCE))
        row = connection.execute("select pg_try_advisory_lock(%s)", (_ORDER_LOCK,)).fetchone()
        if row is None or not row[0]:
            return done
        for partition, remains in _found(connection, now):
            if stop():
                break
            try:
                _put_in_order(connection, partition, remains)
            except errors.LockNotAvailable:
                log.warning("%s is indexed later: a transaction stays open", partition.name)
                break
            done.append(partition)
    return done


def _put_in_order(connection: Connection, partition: Partition, remains: bool) -> None:
    index, table = (sql.Identifier(f"{partition.name}{end}") for end in ("_in_order", ""))
    if remains:
        drop = sql.SQL("drop index concurrently if exists traffic.{}")
        connection.execute(drop.format(index))
    create = sql.SQL('create index concurrently {} on traffic.{} ("timestamp", sensor_id)')
    connection.execute(create.format(index, table))


def _found(connection: Connection, now: datetime) -> list[tuple[Partition, bool]]:
    rows = connection.execute(statement("maintenance/unindexed_months")).fetchall()
    months = [(Partition(day, "traffic_readings"), bool(remains)) for day, remains in rows]
    return [(month, remains) for month, remains in months if month.upper <= now - _OVER_FOR]
