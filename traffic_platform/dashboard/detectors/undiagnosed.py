"""Notice for a day without diagnosis: the reason, and how to compute one."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from traffic_platform.dashboard.shared.days import Days
from traffic_platform.dashboard.shared.render import render

# Local time at which the schedule `detector_health` diagnoses the day before. The dashboard cannot
# import the schedule, so a test compares the two.
DIAGNOSED_AT = time(4, 20)


def undiagnosed(days: Days, now: datetime | None = None) -> str:
    """Return the HTML of the notice. `now` is aware; default: the current time."""
    morning = days.shown + timedelta(days=1)
    due = datetime.combine(morning, DIAGNOSED_AT, ZoneInfo(days.zone.name))
    return render(
        "detectors/undiagnosed",
        day=days.shown,
        due=f"{due:%H:%M} on {morning}" if (now or datetime.now(UTC)) < due else None,
        # A detector has no diagnosis before its first reading.
        has_readings=any(day <= days.shown for day in days.known),
    )
