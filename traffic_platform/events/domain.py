"""The range of times, measures and reported scores. An event outside of it is rejected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

import numpy as np

from traffic_platform.events.columns import Candidates
from traffic_platform.events.formats import format_of
from traffic_platform.events.measures import MEASURES, Floats
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.rules import Rules
from traffic_platform.events.texts import show_time

MAX_SCORE = 1.0
AHEAD_US = 5 * 60 * 1_000_000
"""The most that an event may be ahead of its arrival (microseconds), since clocks differ."""

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_NO_MEASURES = (
    ", ".join(measure.name for measure in MEASURES[:-1])
    + f" and {MEASURES[-1].name} are all null or absent"
)


@dataclass(frozen=True)
class TimeWindow:
    """Times that an event may have (microseconds since 1970 UTC), both included."""

    first_us: int
    last_us: int


def time_window(rules: Rules, ingested_at_us: int) -> TimeWindow:
    """Return the time from the first date, in the platform's zone, to 5 minutes after arrival."""
    midnight = datetime.combine(rules.first_date, time())
    offset = midnight.replace(tzinfo=ZoneInfo(rules.timezone)).utcoffset()
    assert offset is not None
    return TimeWindow((midnight - _EPOCH - offset) // _MICROSECOND, ingested_at_us + AHEAD_US)


def find_rejections(events: Candidates, window: TimeWindow) -> dict[int, Rejection]:
    """Return the reason for each row outside of `window` or a range, or without any measure."""
    rejected = reduce(np.logical_and, map(np.isnan, events.measures))
    rejected |= events.timestamp_us > window.last_us
    rejected |= events.timestamp_us < window.first_us
    for values, highest in _ranges(events):
        rejected |= values < 0  # false for a null
        rejected |= values > highest
    return {row: _reject(events, row, window) for row in np.flatnonzero(rejected).tolist()}


def _ranges(events: Candidates) -> Iterator[tuple[Floats, float]]:
    for measure, column in zip(MEASURES, events.measures, strict=True):
        yield column, measure.high
    yield events.reported, MAX_SCORE


def _reject(events: Candidates, row: int, window: TimeWindow) -> Rejection:
    """Return the first reason that applies to an event that some reason applies to."""
    time_us = int(events.timestamp_us[row])
    if all(np.isnan(column[row]) for column in events.measures):
        reason, detail = Reason.NO_MEASURES, _NO_MEASURES
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
    paths = [*format_of(int(events.format[row])).paths, "quality_score"]
    for path, (values, highest) in zip(paths, _ranges(events), strict=True):
        value = float(values[row])
        if not (np.isnan(value) or 0 <= value <= highest):
            return f"{path} is {value!r}, and 0 to {highest:g} is possible"
    raise AssertionError(f"row {row} is inside every range")
