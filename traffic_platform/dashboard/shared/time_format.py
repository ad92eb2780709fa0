"""Times and ages for people, in the platform's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_LONG_S = 14 * 86400


@dataclass(frozen=True)
class Zone:
    """A time zone by its IANA name. All times that it formats are aware."""

    name: str

    def local(self, instant: datetime) -> datetime:
        """Convert to the local time of the zone."""
        return instant.astimezone(ZoneInfo(self.name))

    def clock(self, instant: datetime) -> str:
        """Format as 14:03:20."""
        return f"{self.local(instant):%H:%M:%S}"

    def date_time(self, instant: datetime) -> str:
        """Format as 2025-10-04 14:03:20."""
        return f"{self.local(instant):%Y-%m-%d %H:%M:%S}"

    def short(self, instant: datetime, now: datetime) -> str:
        """Format without the date if that is today."""
        same_day = self.local(instant).date() == self.local(now).date()
        return self.clock(instant) if same_day else self.date_time(instant)

    def today(self, now: datetime | None = None) -> date:
        """Return the current local date, or that of `now`."""
        return self.local(now or datetime.now(UTC)).date()

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return start and end of a day in UTC. A day of a clock change has 23 or 25 hours."""
        zone = ZoneInfo(self.name)
        start, end = (
            datetime.combine(each, time(), zone).astimezone(UTC)
            for each in (day, day + timedelta(days=1))
        )
        return start, end

    def hours(self, day: date) -> list[tuple[int, str]]:
        """Return the minute of the day and the local clock, for each hour and the end."""
        start, end = self.bounds(day)
        total = int((end - start).total_seconds()) // 60
        clocks = [
            (minute, f"{self.local(start + timedelta(minutes=minute)):%H:%M}")
            for minute in range(0, total, 60)
        ]
        return [*clocks, (total, "24:00")]


def is_long(seconds: float) -> bool:
    """Whether an age is so long that a date is more useful."""
    return seconds > _LONG_S


def age(seconds: float) -> str:
    """Format an age in its largest unit, rounded: 12 s, 3 min, 5 h, 12 days."""
    if seconds < 100:
        return f"{max(0, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 48 * 3600 else f"{round(seconds / 86400)} days"
