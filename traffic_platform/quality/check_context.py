"""What checks look at: a database, a date in the platform's zone, and the moment that it is now.

Several checks rest on the same figures, so a look reads each of them once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from traffic_platform.quality.check_statements import Connection
from traffic_platform.quality.history import SensorHistory, read_history, sample_percent
from traffic_platform.quality.sensor_days import SensorDay, read_sensor_days

# How far back "before" reaches for what a sensor or a feed is compared with.
HISTORY_DAYS = 14
# What arrives in the last minutes of a day that is not over may still be on its way.
ARRIVAL_MARGIN = timedelta(minutes=10)


@dataclass(frozen=True)
class CheckContext:
    """One date, seen at one moment. `url` is the reading role's, for what brings its own client."""

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
        """Whether nothing of the date is still to come, but for what is late."""
        return self.now >= self.end + ARRIVAL_MARGIN

    @property
    def until(self) -> datetime:
        """The instant up to which the date's readings should be there."""
        return self.end if self.over else max(self.begin, self.now - ARRIVAL_MARGIN)

    @property
    def portion(self) -> float:
        """The share of the date that should be there (0 to 1)."""
        return min(1.0, (self.until - self.begin) / (self.end - self.begin))

    @property
    def is_today(self) -> bool:
        """Whether it is this date now, in the platform's zone."""
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
        """The instant at which the date so many days later begins (UTC)."""
        local = datetime.combine(self.day + timedelta(days=days), time(), ZoneInfo(self.timezone))
        return local.astimezone(UTC)

    @cached_property
    def sensors(self) -> list[SensorDay]:
        """What each sensor measured on the date; sensors without a reading are not in it."""
        return read_sensor_days(self.connection, self.begin, self.end)

    @cached_property
    def history(self) -> dict[UUID, SensorHistory]:
        """What each sensor measured in the HISTORY_DAYS dates before, by sensor_id."""
        return read_history(
            self.connection, self.history_begin, self.begin, self.timezone, self.history_percent
        )

    @cached_property
    def history_percent(self) -> float:
        """The share of the history's pages that is read, so that it costs as much at any size."""
        return sample_percent(self.connection, self.history_begin, self.end)
