"""Marks of sensors on the map: bands of speed, and health."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

from traffic_platform.dashboard.reader.sensors import Sensor
from traffic_platform.dashboard.reader.state import State

# Index of a sensor, its Band and its Health.
Mark = tuple[int, int, int]


class Band(IntEnum):
    """Speed relative to free flow. The numbers are positions in BANDS of palette.js."""

    UNKNOWN = 0
    STOPPED = 1
    SLOW = 2
    DENSE = 3
    STEADY = 4
    FREE = 5
    STALE = 6


# Share of the free-flow speed below which a band lies.
_LIMITS = ((0.4, Band.STOPPED), (0.6, Band.SLOW), (0.8, Band.DENSE), (0.95, Band.STEADY))


class Health(IntEnum):
    """Health of a detector. The numbers are positions in HEALTHS of palette.js."""

    GOOD = 0
    DIAGNOSED = 1
    STUCK = 2
    SILENT = 3
    UNKNOWN = 4


def mark(state: State, index: int, now: datetime) -> Mark:
    """Return the mark of the sensor at this index."""
    sensor = state.sensors[index]
    return index, int(band(state, sensor, now)), int(sensor_health(state, sensor))


def band(state: State, sensor: Sensor, now: datetime) -> Band:
    """Return the band of the sensor's newest reading."""
    if not state.is_recent(sensor, now):
        return Band.STALE
    reading = state.newest[sensor.sensor_id]
    if reading.speed is None or not sensor.free_flow_mph or not reading.volume:
        # Without vehicles there is no speed to compare. An empty road counts as free flow.
        return Band.FREE if reading.volume == 0 and not reading.occupancy else Band.UNKNOWN
    ratio = reading.speed / sensor.free_flow_mph
    return next((slow for limit, slow in _LIMITS if ratio < limit), Band.FREE)


def sensor_health(state: State, sensor: Sensor) -> Health:
    """Return the health of a sensor. The last hour takes precedence over an older diagnosis."""
    live = state.health.get(sensor.sensor_id)
    if live is None:
        return Health.UNKNOWN
    if live.state != "reporting":
        return Health.STUCK if live.state == "stuck" else Health.SILENT
    return Health.DIAGNOSED if sensor.is_diagnosed_faulty else Health.GOOD
