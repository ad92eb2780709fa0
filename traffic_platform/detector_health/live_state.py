"""Live states of detectors, from their readings of the last hour.

A diagnosis needs a day. A live state shows sooner, and with less certainty, that a detector is
silent or repeats one reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row

from traffic_platform.settings import Settings
from traffic_platform.statements import statement

HOUR_S = 3600
# A detector that misses one or two intervals is not silent.
SILENT_INTERVALS = 3
# A longer silence is shown as a date.
_LONG = timedelta(days=14)


class State(StrEnum):
    """State of a sensor."""

    REPORTING = "reporting"
    STUCK = "stuck"
    SILENT = "silent"


@dataclass(frozen=True)
class LiveCounts:
    """Counts of a sensor's readings of the last hour.

    `interval_s` is the current one (seconds), None when it is unknown. `expected`: samples of a
    sensor that misses none, by the intervals that were valid in the hour. `all_the_same`: all
    readings of the hour have the same speed, volume and occupancy. `anything`: a measure of the
    hour is above 0.
    """

    sensor_id: UUID
    external_id: str
    name: str | None
    road: str | None
    direction: str | None
    milepost: float | None
    station_id: str | None
    newest_reading: datetime | None
    interval_s: float | None
    samples: int
    expected: int | None
    all_the_same: bool
    anything: bool


@dataclass(frozen=True)
class LiveState:
    """A sensor's state, and the counts that it follows from."""

    state: State
    seen: str
    counts: LiveCounts


def live_states(
    connection: psycopg.Connection[Any], settings: Settings, now: datetime | None = None
) -> list[LiveState]:
    """Return the state of sensors at `now` (aware, default: the clock), in the order of the road.

    They are the imported sensors, and others that reported within TRAFFIC_HEALTH_FORGET_DAYS. The
    reading role suffices. Raises psycopg.Error.
    """
    now = now or datetime.now(UTC)
    parameters = {
        "hour_ago": now - timedelta(seconds=HOUR_S),
        "forget_before": now - timedelta(days=settings.health_forget_days),
    }
    with connection.cursor(row_factory=class_row(LiveCounts)) as cursor:
        found = cursor.execute(statement("detector_health/live_states"), parameters).fetchall()
    return [live_state(counts, settings, now) for counts in found]


def live_state(counts: LiveCounts, settings: Settings, now: datetime) -> LiveState:
    """Return the state of a sensor. Silent precedes stuck: a silent sensor repeats nothing."""
    silent_s = max(60 * settings.health_silent_minutes, SILENT_INTERVALS * (counts.interval_s or 0))
    if counts.newest_reading is None:
        return LiveState(State.SILENT, "No reading yet.", counts)
    age = now - counts.newest_reading
    if age > timedelta(seconds=silent_s):
        since = counts.newest_reading.astimezone(ZoneInfo(settings.timezone)).date()
        text = f"since {since}" if age > _LONG else f"for {_age(age)}"
        return LiveState(State.SILENT, f"No reading {text}.", counts)
    if counts.all_the_same and counts.anything and counts.samples >= settings.health_stuck_samples:
        text = f"All {counts.samples} readings of the last hour are the same."
        return LiveState(State.STUCK, text, counts)
    of = "" if counts.expected is None else f" of {counts.expected} expected"
    return LiveState(State.REPORTING, f"{counts.samples}{of} readings in the last hour.", counts)


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
