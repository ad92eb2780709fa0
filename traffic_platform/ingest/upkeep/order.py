"""An index in the order of time and sensor for months of readings that are over.

Pages of a date are read in that order: with the index a page costs PostgreSQL a third. To keep it
while a month runs would cost a writer an eighth of its speed, so block ranges have to do till then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from psycopg import sql

from traffic_platform.ingest.connections import connect
from traffic_platform.ingest.upkeep.partition import Connection, Partition
from traffic_platform.statements import statement

# Late data comes for some days; it finds its way into the index, too, only more slowly.
_OVER_FOR: Final = timedelta(days=7)


def months_without_order(connection: Connection, now: datetime) -> list[Partition]:
    """Months that are over and have no such index yet. Raises psycopg.Error."""
    return [partition for partition, _ in _found(connection, now)]


def put_in_order(owner_url: str, now: datetime, stop: Callable[[], bool]) -> list[Partition]:
    """Make what is missing, and return for which months.

    Beside readers and writers: it waits for transactions that are open, nobody waits for it. What
    an ended process has left unfinished is made anew. Raises psycopg.Error.
    """
    done: list[Partition] = []
    with connect(owner_url, application_name="traffic-upkeep", autocommit=True) as connection:
        connection.execute("set lock_timeout = 0")
        for partition, remains in _found(connection, now):
            if stop():
                break
            index = f"{partition.name}_in_order"
            if remains:
                connection.execute(
                    sql.SQL("drop index concurrently if exists traffic.{}").format(
                        sql.Identifier(index)
                    )
                )
            connection.execute(
                sql.SQL(
                    'create index concurrently {} on traffic.{} ("timestamp", sensor_id)'
                ).format(sql.Identifier(index), sql.Identifier(partition.name))
            )
            done.append(partition)
    return done


def _found(connection: Connection, now: datetime) -> list[tuple[Partition, bool]]:
    rows = connection.execute(statement("upkeep/without_order")).fetchall()
    months = [(Partition(day, "traffic_readings"), bool(remains)) for day, remains in rows]
    return [(month, remains) for month, remains in months if month.upper <= now - _OVER_FOR]
