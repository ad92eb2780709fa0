"""Why a day has no diagnosis, and what makes one."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from traffic_platform.dashboard.shared.day_pages import Days
from traffic_platform.dashboard.shared.render import render

# When the schedule `detector_health` diagnoses the day before, on the clock of the zone. The page
# may not reach into the room of schedules; a test holds the two together.
DIAGNOSED_AT = time(4, 20)


def undiagnosed(days: Days, now: datetime | None = None) -> str:
    """HTML for a day of which nobody has diagnosed a detector; `now` is aware."""
    morning = days.shown + timedelta(days=1)
    due = datetime.combine(morning, DIAGNOSED_AT, ZoneInfo(days.zone.name))
    return render(
        "undiagnosed",
        day=days.shown,
        due=f"{due:%H:%M} of {morning}" if (now or datetime.now(UTC)) < due else None,
        # Before its first reading a detector has no diagnosis.
        has_readings=any(day <= days.shown for day in days.known),
    )
