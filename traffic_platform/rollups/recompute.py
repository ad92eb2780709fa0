"""Compute whole dates again, whatever is dirty."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

import psycopg

from traffic_platform.event_tables.reading_counts import correct_counts
from traffic_platform.events.dates import day_bounds
from traffic_platform.postgres.identity import read_timezone
from traffic_platform.rollups.rollup_lock import exclusively
from traffic_platform.rollups.rollup_tables import TABLES, RollupResult, roll_up_ranges
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]


def recompute(
    connection: Connection, dates: Iterable[date], tables: Collection[str] = TABLES
) -> RollupResult:
    """Compute the rows of these dates (the platform's zone) again from the readings.

    One transaction a date: readers see it as it was or as it is. A row that comes out equal is not
    written. The readings are counted again, too. `tables` chooses some of the three; each is made
    from the one before as that is stored. Hours that a date shares with its neighbours (zones half
    an hour off) are computed whole. `connection` is in autocommit and of the writing role. Raises
    psycopg.Error; the dates before are done then.
    """
    folded = RollupResult()
    timezone = read_timezone(connection)
    assert timezone is not None
    for day in dates:
        with exclusively(connection):
            row = connection.execute(statement("rollups/date_ranges"), {"date": day}).fetchone()
            assert row is not None
            folded.buckets += int(row[0])
            roll_up_ranges(connection, folded, tables)
        if TABLES[0] in tables:
            with connection.transaction():
                correct_counts(connection, *day_bounds(day, timezone))
        for table in tables:
            folded.of(table, day)
    return folded
