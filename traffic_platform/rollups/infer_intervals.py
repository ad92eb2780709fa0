"""Inferred intervals and free-flow speeds, for sensors without imported values.

Both are stored with the sensor, so that the same readings always give the same rows. A changed
value makes all buckets of the sensor dirty.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from traffic_platform.event_tables.dirty_buckets import ROLLUP_WAIT_SECONDS, append_sensors
from traffic_platform.postgres.connections import Connection
from traffic_platform.rollups.rollup_lock import exclusively
from traffic_platform.statements import statement

# Readings for an interval: more than a day of one every 20 s. A new sensor needs fewer.
NEWEST_READINGS = 5_000
FIRST_READINGS = 200
FEWEST_GAPS = 2
# Free flow is the speed that drivers choose in light traffic. Up to 1,000 vehicles per hour and
# lane the speed on a freeway does not depend on flow (Highway Capacity Manual 2010, chapter 11).
# The Federal Highway Administration's Urban Congestion Reports use the 85th percentile. It is taken
# from four weeks of 5-minute rows, at least six hours of them.
LIGHT_FLOW = 1_000
NEWEST_ROWS = 28 * 288
FEWEST_ROWS = 72
TOLERANCE_MPH = 3


@dataclass(frozen=True)
class Inferred:
    """Numbers of sensors whose values changed."""

    intervals: int
    free_flow_speeds: int


def infer(
    connection: Connection,
    *,
    only_missing: bool = False,
    wait_seconds: float = ROLLUP_WAIT_SECONDS,
) -> Inferred:
    """Infer from the newest readings of all sensors, or of those without a value.

    `connection` is in autocommit and of the writing role. Raises psycopg.Error, and
    LockNotAvailable when a roll-up still runs after `wait_seconds`.
    """
    with exclusively(connection, wait_seconds):
        intervals: list[UUID] = []
        if not only_missing:
            intervals = _intervals(connection, NEWEST_READINGS, all_sensors=True)
        parameters = {
            "light": LIGHT_FLOW,
            "newest": NEWEST_ROWS,
            "fewest": FEWEST_ROWS,
            "tolerance": TOLERANCE_MPH,
            "all": not only_missing,
        }
        rows = connection.execute(statement("rollups/infer_free_flow"), parameters)
        speeds = [row[0] for row in rows]
        append_sensors(connection, {*intervals, *speeds})
    return Inferred(len(intervals), len(speeds))


def infer_new_intervals(connection: Connection) -> None:
    """Infer the intervals of sensors in pg_temp.dirty_ranges that have no interval."""
    append_sensors(connection, set(_intervals(connection, FIRST_READINGS, all_sensors=False)))


def _intervals(connection: Connection, newest: int, *, all_sensors: bool) -> list[UUID]:
    parameters = {"newest": newest, "fewest": FEWEST_GAPS, "all": all_sensors}
    rows = connection.execute(statement("rollups/infer_intervals"), parameters)
    return [row[0] for row in rows]
