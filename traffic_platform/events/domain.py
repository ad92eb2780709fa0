"""What times, measures and reported scores can be. An event outside is refused, not flagged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from traffic_platform.events.columns import NESTED, Candidates
from traffic_platform.events.messages import MEASURES, NESTED_MEASURES
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.rules import Rules
from traffic_platform.events.texts import show_time

MAX_SPEED = 300.0
"""Miles per hour."""
MAX_VOLUME = 100_000.0
"""Vehicles per hour, as sent: before it is rounded."""
MAX_OCCUPANCY = 100.0
"""Percent."""
MAX_SCORE = 1.0
AHEAD_US = 5 * 60 * 1_000_000
"""How far an event may be ahead of its arrival (microseconds): clocks differ."""

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TimeWindow:
    """Times that an event may have (microseconds since 1970 UTC), both included."""

    first_us: int
    last_us: int


def time_window(rules: Rules, ingested_at_us: int) -> TimeWindow:
    """From the first date's beginning in the platform's zone to 5 minutes after the arrival."""
    midnight = datetime.combine(rules.first_date, time())
    offset = midnight.replace(tzinfo=ZoneInfo(rules.timezone)).utcoffset()
    assert offset is not None
    return TimeWindow((midnight - _EPOCH - offset) // _MICROSECOND, ingested_at_us + AHEAD_US)


def find_rejections(events: Candidates, window: TimeWindow) -> dict[int, Rejection]:
    """Rows that are outside of `window` or of a domain, or measure nothing, and why; ascending."""
    refused = np.isnan(events.speed) & np.isnan(events.volume) & np.isnan(events.occupancy)
    refused |= events.timestamp_us > window.last_us
    refused |= events.timestamp_us < window.first_us
    for values, highest in _domains(events):
        refused |= values < 0  # false for a null
        refused |= values > highest
    return {row: _refusal(events, row, window) for row in np.flatnonzero(refused).tolist()}


def _domains(events: Candidates) -> tuple[tuple[Floats, float], ...]:
    return (
        (events.speed, MAX_SPEED),
        (events.volume, MAX_VOLUME),
        (events.occupancy, MAX_OCCUPANCY),
        (events.reported, MAX_SCORE),
    )


def _refusal(events: Candidates, row: int, window: TimeWindow) -> Rejection:
    """The first reason that applies to an event that some reason applies to."""
    time_us = int(events.timestamp_us[row])
    if all(math.isnan(column[row]) for column in (events.speed, events.volume, events.occupancy)):
        reason, detail = Reason.NO_MEASURES, "speed, volume and occupancy are all null or absent"
    elif time_us > window.last_us:
        reason = Reason.TIMESTAMP_IN_FUTURE
        arrival = show_time(window.last_us - AHEAD_US)
        detail = f"timestamp {show_time(time_us)} is over 5 minutes after the arrival at {arrival}"
    elif time_us < window.first_us:
        reason = Reason.TIMESTAMP_TOO_EARLY
        first = show_time(window.first_us)
        detail = f"timestamp {show_time(time_us)} is before {first}, set by TRAFFIC_FIRST_DATE"
    else:
        reason, detail = Reason.OUT_OF_RANGE, _first_outside(events, row)
    return Rejection(reason, detail, time_us)


def _first_outside(events: Candidates, row: int) -> str:
    nested = events.format[row] == NESTED
    names = [f"traffic_data.{name}" for name in NESTED_MEASURES] if nested else list(MEASURES)
    for name, (values, highest) in zip([*names, "quality_score"], _domains(events), strict=True):
        value = float(values[row])
        if not (math.isnan(value) or 0 <= value <= highest):
            return f"{name} is {value!r}, and 0 to {highest:g} is possible"
    raise AssertionError(f"row {row} is inside every domain")
