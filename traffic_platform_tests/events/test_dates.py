"""Dates are days in a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic_platform.events.dates import local_days, to_date
from traffic_platform.events.timestamps import to_microseconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ["UTC", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia",
         "Pacific/Apia", "Europe/Dublin"]  # fmt: skip


def dates(texts: list[str], zone: str) -> list[date]:
    """The local dates of moments."""
    times = np.array([to_microseconds(text, None) for text in texts], dtype=np.int64)
    return [to_date(int(day)) for day in local_days(times, zone)]


def test_a_day_begins_at_local_midnight() -> None:
    texts = ["2011-09-15T06:59:59.999999Z", "2011-09-15T07:00:00Z"]
    assert dates(texts, "America/Los_Angeles") == [date(2011, 9, 14), date(2011, 9, 15)]
    assert dates(texts, "UTC") == [date(2011, 9, 15)] * 2


def test_days_have_23_and_25_hours_where_clocks_change() -> None:
    for day, hours in ((date(2011, 3, 13), 23), (date(2011, 11, 6), 25)):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=2)
        texts = [(start + timedelta(hours=hour)).isoformat() for hour in range(48)]
        assert dates(texts, "America/Los_Angeles").count(day) == hours


def test_a_date_that_a_zone_skipped_holds_no_moment() -> None:
    texts = [f"2011-12-30T{hour:02d}:{minute:02d}:00Z" for hour in range(24) for minute in (0, 30)]
    assert date(2011, 12, 30) not in dates(texts, "Pacific/Apia")


def test_clocks_that_change_within_a_quarter_of_an_hour_are_followed() -> None:
    # Monrovia was 44 min 30 s behind UTC until 1972-01-07T00:44:30Z, then at UTC.
    texts = ["1972-01-07T00:44:29Z", "1972-01-07T00:44:30Z", "1972-01-07T00:30:00Z"]
    assert dates(texts, "Africa/Monrovia") == [date(1972, 1, 6), date(1972, 1, 7), date(1972, 1, 6)]


@pytest.mark.parametrize("zone", ZONES)
def test_the_first_and_last_times_of_events_have_a_date(zone: str) -> None:
    first, last = dates(["0001-01-02T00:00:00Z", "9999-12-30T23:59:59.999999Z"], zone)
    assert (first.year, last.year) == (1, 9999)


@pytest.mark.parametrize("zone", ZONES)
def test_no_times_have_no_days(zone: str) -> None:
    days = local_days(np.zeros(0, dtype=np.int64), zone)
    assert (days.dtype, len(days)) == (np.int32, 0)


@settings(deadline=None)
@given(
    st.lists(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))),
    st.sampled_from(ZONES),
)
def test_days_are_those_of_the_standard_library(moments: list[datetime], zone: str) -> None:
    times = [(moment - EPOCH) // timedelta(microseconds=1) for moment in moments]
    got = [to_date(int(day)) for day in local_days(np.array(times, dtype=np.int64), zone)]
    assert got == [moment.astimezone(ZoneInfo(zone)).date() for moment in moments]
