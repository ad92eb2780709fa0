"""Days of the platform's zone as instants, with the hours that detectors are diagnosed by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from traffic_platform.events.dates import day_bounds, instant

# Caltrans PeMS diagnoses by the hours in which every road has traffic (day_start, day_end in the
# dbt_project.yml of cagov/caldata-mdsa-caltrans-pems).
WINDOW_FIRST = time(5)
WINDOW_END = time(22)


@dataclass(frozen=True)
class LocalDay:
    """A local day and its window as UTC instants; each end is the first instant after.

    The window is 17 hours long, unless a clock change falls into it. A day that a time zone skipped
    (Samoa, 2011-12-30) is empty, and so is its window.
    """

    date: date
    timezone: str
    start: datetime
    end: datetime
    window_start: datetime
    window_end: datetime

    @property
    def window_s(self) -> int:
        """Length of the window (seconds)."""
        return round((self.window_end - self.window_start).total_seconds())


def local_day(day: date, timezone: str) -> LocalDay:
    """Return the day `day` of `timezone`, an IANA name."""
    start, end = day_bounds(day, timezone)
    return LocalDay(
        date=day,
        timezone=timezone,
        start=start,
        end=end,
        window_start=_between(start, instant(day, WINDOW_FIRST, timezone), end),
        window_end=_between(start, instant(day, WINDOW_END, timezone), end),
    )


def _between(start: datetime, time: datetime, end: datetime) -> datetime:
    return min(max(start, time), end)
