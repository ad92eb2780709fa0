"""Intervals and free-flow speeds of sensors whose list does not tell them.

Both are stored with the sensor, so that the same readings give the same rows whenever they are
computed. Where a value changes, all rows of the sensor become dirty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from traffic_platform.event_tables.dirty_buckets import ROLLUP_WAIT_SECONDS, append_sensors
from traffic_platform.rollups.rollup_lock import exclusively
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]

# Readings that tell an interval: more than a day of one every 20 s. At first sight fewer will do.
NEWEST_READINGS = 5_000
FIRST_READINGS = 200
FEWEST_GAPS = 2
# Free flow is what drivers choose when few others are there: up to 1,000 vehicles per hour and lane
# the speed on a freeway does not depend on flow (Highway Capacity Manual 2010, chapter 11). The
# 85th percentile is that of the Federal Highway Administration's Urban Congestion Reports. Of four
# weeks of 5-minute rows; at least six hours of them, for a day to tell it.
LIGHT_FLOW = 1_000
NEWEST_ROWS = 28 * 288
FEWEST_ROWS = 72
TOLERANCE_MPH = 3


@dataclass(frozen=True)
class Inferred:
    """How many sensors have another value than before."""

    intervals: int
    free_flow_speeds: int


def infer(
    connection: Connection,
    *,
    only_missing: bool = False,
    wait_seconds: float = ROLLUP_WAIT_SECONDS,
) -> Inferred:
    """Look at the newest readings of every sensor, or of those that have no value yet.

    `connection` is in autocommit and of the writing role. Raises psycopg.Error; LockNotAvailable
    where a fold is still at work after `wait_seconds`.
    """
    with exclusively(connection, wait_seconds):
        intervals = [] if only_missing else _intervals(connection, NEWEST_READINGS, everybody=True)
        speeds = _free_flow(connection, everybody=not only_missing)
        append_sensors(connection, {*intervals, *speeds})
    return Inferred(len(intervals), len(speeds))


def infer_new_intervals(connection: Connection) -> None:
    """Infer the intervals of sensors in pg_temp.dirty_ranges that have none yet."""
    append_sensors(connection, set(_intervals(connection, FIRST_READINGS, everybody=False)))


def _intervals(connection: Connection, newest: int, *, everybody: bool) -> list[UUID]:
    parameters = {"newest": newest, "fewest": FEWEST_GAPS, "all": everybody}
    rows = connection.execute(statement("rollups/infer_intervals"), parameters)
    return [row[0] for row in rows.fetchall()]


def _free_flow(connection: Connection, *, everybody: bool) -> list[UUID]:
    parameters = {
        "light": LIGHT_FLOW,
        "newest": NEWEST_ROWS,
        "fewest": FEWEST_ROWS,
        "tolerance": TOLERANCE_MPH,
        "all": everybody,
    }
    rows = connection.execute(statement("rollups/infer_free_flow"), parameters)
    return [row[0] for row in rows.fetchall()]
