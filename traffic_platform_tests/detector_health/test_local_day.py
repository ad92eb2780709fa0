"""Days and their hours in zones whose clocks change."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic_platform.detector_health.local_day import local_day
from traffic_platform.events.dates import local_days, to_date

ZONES = sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})
MICROSECOND = timedelta(microseconds=1)


def day_of(moment: datetime, timezone: str) -> date:
    """The date that ingest gives an event of that time."""
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND
    return to_date(int(local_days(np.array([microseconds]), timezone)[0]))


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("America/Los_Angeles", date(2025, 3, 9), 23),
        ("America/Los_Angeles", date(2025, 11, 2), 25),
        ("Asia/Beirut", date(2025, 3, 30), 23),  # from midnight on
        ("America/Havana", date(2025, 11, 2), 25),  # 00:00 to 01:00 twice
        ("Australia/Lord_Howe", date(2025, 10, 5), 23.5),
        ("UTC", date(2025, 10, 4), 24),
    ],
)
def test_a_clock_change_changes_the_day_and_not_the_hours_that_are_judged(
    timezone: str, day: date, hours: float
) -> None:
    local = local_day(day, timezone)
    assert (local.end - local.start) == timedelta(hours=hours)
    assert local.window_s == 17 * 3600
    zone = zoneinfo.ZoneInfo(timezone)
    assert local.window_start.astimezone(zone).hour == 5
    assert (local.window_end - MICROSECOND).astimezone(zone).hour == 21


def test_a_day_that_a_zone_left_out_is_empty() -> None:
    local = local_day(date(2011, 12, 30), "Pacific/Apia")
    assert local.start == local.end
    assert local.window_s == 0


@settings(max_examples=400, deadline=None)
@given(
    timezone=st.sampled_from(ZONES),
    day=st.dates(min_value=date(2010, 1, 1), max_value=date(2037, 12, 31)),
)
def test_a_day_holds_exactly_the_readings_that_ingest_dates_to_it(timezone: str, day: date) -> None:
    local = local_day(day, timezone)
    assert local.start <= local.window_start <= local.window_end <= local.end
    assert local.end == local_day(day + timedelta(days=1), timezone).start
    assert day_of(local.start - MICROSECOND, timezone) < day
    assert day_of(local.end, timezone) > day
    if local.start < local.end:
        assert day_of(local.start, timezone) == day
        assert day_of(local.end - MICROSECOND, timezone) == day
