"""Periods of a sensor: the times in which its values apply. Pure, no I/O.

A timeline maps the begin of each period to its values; a period ends where the next begins. The
first begins at BEGINNING. A value applies until a later period changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from traffic_platform.events.dates import day_bounds
from traffic_platform.sensors.csv_rows import Value

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)

PERIOD_COLUMNS: Final = ("interval_s", "length_mi", "lanes", "free_flow_mph", "rural", "retired")
"""The columns of traffic.sensor_periods that a table can describe."""

INFERRED_COLUMNS: Final = ("inferred_interval_s", "inferred_free_flow_mph")

# Roll-ups depend on these. A change makes the buckets of its time dirty.
_ROLLED_UP_BY: Final = ("interval_s", "length_mi", "free_flow_mph")
_BOUND: Final = timedelta(minutes=5)

Period = Mapping[str, Value]


def empty_period() -> Period:
    """Return the period of a sensor of which nothing is known."""
    return {**dict.fromkeys((*PERIOD_COLUMNS, *INFERRED_COLUMNS)), "retired": False}


def bound_of(time: datetime) -> datetime:
    """Return the 5-minute bound at or before an aware time."""
    time = time.astimezone(UTC)
    return time - (time - datetime(2000, 1, 1, tzinfo=UTC)) % _BOUND


def read_begin(text: str, zone: str) -> datetime:
    """Return the 5-minute bound at or before a time, or before a date's start in `zone`.

    `beginning` is BEGINNING. Raises ValueError with a text for people.
    """
    if text == "beginning":
        return BEGINNING
    try:
        if len(text) == len("2025-10-04"):
            return bound_of(day_bounds(date.fromisoformat(text), zone)[0])
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not beginning, a date or a time, such as 2025-10-04T06:00Z") from None
    if time.tzinfo is None:
        raise ValueError("has no time zone, such as the Z of 2025-10-04T06:00Z")
    return bound_of(time)


@dataclass(frozen=True)
class ValueChange:
    """A changed value, and the time from which it applies (BEGINNING: in all of the past)."""

    old: Value
    new: Value
    since: datetime


@dataclass
class Timeline:
    """The periods of a sensor by their begin, in any order."""

    periods: dict[datetime, Period] = field(default_factory=lambda: {BEGINNING: empty_period()})

    @property
    def begins(self) -> list[datetime]:
        """The begins in their order."""
        return sorted(self.periods)

    def at(self, time: datetime) -> Period:
        """Return the period in which a time lies."""
        return self.periods[max(begin for begin in self.periods if begin <= time)]

    def apply(self, values: Period, since: datetime) -> dict[str, ValueChange]:
        """Let values apply from a 5-minute bound on, and return the changes by column."""
        changes: dict[str, ValueChange] = {}
        for column, new in values.items():
            old = self.at(since)[column]
            if old != new:
                changes[column] = ValueChange(old, new, since)
                self._set(column, new, since)
        self._join()
        return changes

    def describe(self, values: Period, now: datetime) -> dict[str, ValueChange]:
        """Let values apply from now on, and fill them in where none is known.

        A value that no import has set, and that differs from no inferred one, applies to all of
        the past, because it changes nothing there. Returns the changes by column.
        """
        changes: dict[str, ValueChange] = {}
        for column, new in values.items():
            current = self.at(now)
            if current[column] == new:
                continue
            if current[column] is None and effective(current, column) in (None, new):
                since = self._fill(column, new)
            else:
                since = now
                self._set(column, new, now)
            changes[column] = ValueChange(current[column], new, since)
        self._join()
        return changes

    def _set(self, column: str, new: Value, since: datetime) -> None:
        """Set a value from `since` on, until a period whose value was another one before."""
        current = self.at(since)
        self.periods.setdefault(since, {**current, "source": "imported"})
        before = (current[column], effective(current, column))
        for begin in self.begins:
            period = self.periods[begin]
            if begin >= since:
                if (period[column], effective(period, column)) != before:
                    return
                self.periods[begin] = {**period, column: new}

    def _fill(self, column: str, new: Value) -> datetime:
        """Set a value wherever it is unknown, and return the begin of the first such period."""
        filled = [
            begin
            for begin in self.begins
            if self.periods[begin][column] is None
            and effective(self.periods[begin], column) in (None, new)
        ]
        for begin in filled:
            self.periods[begin] = {**self.periods[begin], column: new}
        return filled[0]

    def _join(self) -> None:
        """Remove periods that have the values of the period before."""
        kept = BEGINNING
        for begin in self.begins[1:]:
            if _values(self.periods[begin]) == _values(self.periods[kept]):
                del self.periods[begin]
            else:
                kept = begin


def effective(period: Period, column: str) -> Value:
    """Return the imported value, else the inferred one of columns that have one."""
    value = period[column]
    return period.get(f"inferred_{column}") if value is None else value


def changed_spans(before: Timeline, after: Timeline) -> list[tuple[datetime, datetime | None]]:
    """Return the times in which roll-ups differ, from a begin until before an end (None: open)."""
    begins = sorted({*before.periods, *after.periods})
    spans: list[tuple[datetime, datetime | None]] = []
    for begin, until in zip(begins, [*begins[1:], None], strict=True):
        old, new = before.at(begin), after.at(begin)
        if all(effective(old, name) == effective(new, name) for name in _ROLLED_UP_BY):
            continue
        if spans and spans[-1][1] == begin:
            spans[-1] = (spans[-1][0], until)
        else:
            spans.append((begin, until))
    return spans


def _values(period: Period) -> list[Value]:
    return [period[column] for column in (*PERIOD_COLUMNS, *INFERRED_COLUMNS)]
