"""Compute whole dates again, independent of dirty buckets."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from traffic_platform.event_tables.reading_counts import correct_counts
from traffic_platform.events.dates import day_bounds
from traffic_platform.postgres.connections import Connection
from traffic_platform.postgres.identity import read_timezone
from traffic_platform.rollups.rollup_lock import exclusively
from traffic_platform.rollups.rollup_tables import TABLES, RollupResult, roll_up_ranges
from traffic_platform.statements import statement


def recompute(
    connection: Connection, dates: Iterable[date], tables: Collection[str] = TABLES
) -> RollupResult:
    """Compute the rows of these dates (the platform's zone) again from the readings.

    Each date has its own transaction, so readers see the old or the new date. An unchanged row is
    not written. Readings are counted again too. `tables` selects some of the three tables; each is
    computed from the stored rows of the one before. Hours that a date shares with its neighbours
    (in zones half an hour off) are computed whole. `connection` is in autocommit and of the writing
    role. Raises psycopg.Error; earlier dates are done then.
    """
    result = RollupResult()
    timezone = read_timezone(connection)
    assert timezone is not None
    for day in dates:
        with exclusively(connection):
            row = connection.execute(statement("rollups/date_ranges"), {"date": day}).fetchone()
            assert row is not None
            result.buckets += int(row[0])
            roll_up_ranges(connection, result, tables)
        if TABLES[0] in tables:
            with connection.transaction():
                correct_counts(connection, *day_bounds(day, timezone))
        for table in tables:
            result.of(table, day)
    return result
