"""Inputs of a check: a connection, a local date, and the current time.

Several checks need the same figures, so a context reads each of them once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from traffic_platform.quality.check_statements import Connection, read_rows
from traffic_platform.quality.history import SAMPLE_BYTES, SensorHistory
from traffic_platform.quality.outcome import Row
from traffic_platform.quality.sensor_days import SensorDay

# The number of days before a date with which its sensors and feeds are compared.
HISTORY_DAYS = 14
# Readings of the last minutes may still be on their way.
ARRIVAL_MARGIN = timedelta(minutes=10)


@dataclass(frozen=True)
class CheckContext:
    """One date at one point in time. `url` is the reading role's, for Great Expectations."""

    connection: Connection
    url: str
    day: date
    timezone: str
    now: datetime

    @property
    def begin(self) -> datetime:
        """The instant at which the date begins (UTC)."""
        return self.midnight(0)

    @property
    def end(self) -> datetime:
        """The instant at which the date ends (UTC): 23, 24 or 25 hours later."""
        return self.midnight(1)

    @property
    def over(self) -> bool:
        """True if the date has ended and only late data can still arrive."""
        return self.now >= self.end + ARRIVAL_MARGIN

    @property
    def until(self) -> datetime:
        """The instant up to which the date's readings should be stored."""
        return self.end if self.over else max(self.begin, self.now - ARRIVAL_MARGIN)

    @property
    def portion(self) -> float:
        """The share of the date that should be stored (0 to 1)."""
        return min(1.0, (self.until - self.begin) / (self.end - self.begin))

    @property
    def is_today(self) -> bool:
        """True if the date is today in the platform's zone."""
        return self.now.astimezone(ZoneInfo(self.timezone)).date() == self.day

    @property
    def history_begin(self) -> datetime:
        """The instant at which the HISTORY_DAYS dates before this one begin (UTC)."""
        return self.midnight(-HISTORY_DAYS)

    @property
    def history_days(self) -> list[date]:
        """The HISTORY_DAYS dates before this one, oldest first."""
        return [self.day - timedelta(days=back) for back in range(HISTORY_DAYS, 0, -1)]

    def midnight(self, days: int) -> datetime:
        """Return the instant at which the date so many days later begins (UTC)."""
        local = datetime.combine(self.day + timedelta(days=days), time(), ZoneInfo(self.timezone))
        return local.astimezone(UTC)

    def read(self, name: str, **parameters: object) -> list[Row]:
        """Return the rows of `sql/quality/NAME.sql`. Raises psycopg.Error.

        The statement knows the date as `day`, `begin`, `end` and `timezone`, which `parameters` may
        replace.
        """
        date = {"day": self.day, "begin": self.begin, "end": self.end, "timezone": self.timezone}
        return read_rows(self.connection, name, **{**date, **parameters})

    @cached_property
    def sensors(self) -> list[SensorDay]:
        """The measurements of each sensor with readings on the date."""
        return [SensorDay.from_row(row) for row in self.read("sensor_days")]

    @cached_property
    def history(self) -> dict[UUID, SensorHistory]:
        """The measurements of each sensor on the HISTORY_DAYS dates before, by sensor_id."""
        period = {"begin": self.history_begin, "end": self.begin}
        rows = self.read("sensor_history", **period, percent=self.history_percent)
        return {row["sensor_id"]: SensorHistory.from_row(row) for row in rows}

    @cached_property
    def history_percent(self) -> float:
        """The percentage of the history's pages to read, so that any size costs the same."""
        size = self.read("history_bytes", begin=self.history_begin)[0]["bytes"]
        return min(100.0, 100.0 * SAMPLE_BYTES / max(1, size))
