"""Compute again what is dirty."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import errors

from traffic_platform.rollups.infer_intervals import infer_new_intervals
from traffic_platform.rollups.rollup_lock import exclusively
from traffic_platform.rollups.rollup_tables import RollupResult, roll_up_ranges
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]

# 5-minute buckets of a fold. Of very many at once, all would be late.
MOST_BUCKETS = 20_000
_MOST_ROWS = 1_000


def roll_up(
    connection: Connection, limit: int = MOST_BUCKETS, wait_seconds: float = 0.0
) -> RollupResult:
    """Take out dirty buckets, oldest first, and compute them and their hours and days again.

    Adds up the counts of readings, too. In one REPEATABLE READ transaction, so that what is
    appended meanwhile stays for the next fold. At least one appended row is taken, and no more once
    `limit` buckets are. Where another fold is still at work after `wait_seconds` nothing is done
    (`busy`). `connection` is in autocommit and of the writing role. Raises psycopg.Error; then
    nothing is done, and the buckets are still dirty.
    """
    folded = RollupResult()
    try:
        with exclusively(connection, wait_seconds):
            folded.buckets = _take(connection, limit)
            connection.execute(statement("rollups/roll_up_counts"))
            if folded.buckets:
                infer_new_intervals(connection)
                roll_up_ranges(connection, folded)
                folded.left = _is_dirty(connection)
    except errors.LockNotAvailable:
        return RollupResult(busy=True)
    return folded


def _take(connection: Connection, limit: int) -> int:
    bounds = {"most_pairs": limit, "most_rows": _MOST_ROWS}
    row = connection.execute(statement("rollups/take_dirty_buckets"), bounds).fetchone()
    assert row is not None
    return int(row[0])


def _is_dirty(connection: Connection) -> bool:
    row = connection.execute("select exists (select from traffic.dirty_buckets)").fetchone()
    return bool(row and row[0])
