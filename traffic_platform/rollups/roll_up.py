"""Compute dirty buckets again."""

from __future__ import annotations

from psycopg import errors

from traffic_platform.postgres.connections import Connection
from traffic_platform.rollups.infer_intervals import infer_new_intervals
from traffic_platform.rollups.rollup_lock import exclusively
from traffic_platform.rollups.rollup_tables import RollupResult, roll_up_ranges
from traffic_platform.statements import statement

# 5-minute buckets per roll-up. With very many at once, all would be late.
MOST_BUCKETS = 20_000
# A bucket of a stream stands in the queue several times: once for each batch with its readings.
_MOST_QUEUED = 10 * MOST_BUCKETS


def roll_up(
    connection: Connection, limit: int = MOST_BUCKETS, wait_seconds: float = 0.0
) -> RollupResult:
    """Take dirty buckets, oldest first, and compute them and their hours and days again.

    Adds up the counts of readings too. All of it is one REPEATABLE READ transaction, so buckets
    appended meanwhile wait for the next call. It takes at least one row of dirty buckets, and stops
    at `limit` buckets. When another roll-up still runs after `wait_seconds`, the result is `busy`
    and nothing changes. `connection` is in autocommit and of the writing role. Raises psycopg.Error
    without any change; the buckets then stay dirty.
    """
    result = RollupResult()
    try:
        with exclusively(connection, wait_seconds):
            result.buckets = _take(connection, limit)
            connection.execute(statement("rollups/roll_up_counts"))
            if result.buckets:
                infer_new_intervals(connection)
                roll_up_ranges(connection, result)
                result.left = _is_dirty(connection)
    except errors.LockNotAvailable:
        return RollupResult(busy=True)
    return result


def _take(connection: Connection, limit: int) -> int:
    bounds = {"most_buckets": limit, "most_queued": _MOST_QUEUED}
    row = connection.execute(statement("rollups/take_dirty_buckets"), bounds).fetchone()
    assert row is not None
    return int(row[0])


def _is_dirty(connection: Connection) -> bool:
    row = connection.execute("select exists (select from traffic.dirty_buckets)").fetchone()
    return bool(row and row[0])
