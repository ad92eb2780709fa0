"""Times as people read them: in the platform's zone, which is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_LONG_S = 14 * 86400


@dataclass(frozen=True)
class Zone:
    """The platform's zone, by its IANA name."""

    name: str

    def local(self, moment: datetime) -> datetime:
        """An aware moment on the clock of the zone."""
        return moment.astimezone(ZoneInfo(self.name))

    def clock(self, moment: datetime) -> str:
        """14:03:20."""
        return f"{self.local(moment):%H:%M:%S}"

    def moment(self, moment: datetime) -> str:
        """2025-10-04 14:03:20."""
        return f"{self.local(moment):%Y-%m-%d %H:%M:%S}"

    def near(self, moment: datetime, now: datetime) -> str:
        """The clock alone for today, else with the date."""
        same_day = self.local(moment).date() == self.local(now).date()
        return self.clock(moment) if same_day else self.moment(moment)

    def today(self, now: datetime | None = None) -> date:
        """The date that it is in the zone."""
        return self.local(now or datetime.now(UTC)).date()

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """Start and end (UTC) of a day; it has 23 or 25 hours where the clock changes."""
        zone = ZoneInfo(self.name)
        start, end = (
            datetime.combine(each, time(), zone).astimezone(UTC)
            for each in (day, day + timedelta(days=1))
        )
        return start, end

    def hours(self, day: date) -> list[tuple[int, str]]:
        """Minutes since the day began and the clock then, for each hour and the end."""
        start, end = self.bounds(day)
        total = int((end - start).total_seconds()) // 60
        clocks = [
            (minute, f"{self.local(start + timedelta(minutes=minute)):%H:%M}")
            for minute in range(0, total, 60)
        ]
        return [*clocks, (total, "24:00")]


def is_long(seconds: float) -> bool:
    """Whether a date tells people more than the length of time since then."""
    return seconds > _LONG_S


def age(seconds: float) -> str:
    """A length of time in its largest unit: 12 s, 3 min, 5 h, 12 days."""
    if seconds < 100:
        return f"{max(0, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 48 * 3600 else f"{round(seconds / 86400)} days"
