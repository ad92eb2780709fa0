"""Timestamps to microseconds since 1970, and rejected ones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.timestamps import to_microseconds

NOON_US = 1_759_579_200_000_000
OREGON = ZoneInfo("America/Los_Angeles")
SECOND = 1_000_000


def reason(value: str | float, zone: ZoneInfo | None = None) -> Reason:
    """Return the reason of the rejection."""
    with pytest.raises(Rejection) as caught:
        to_microseconds(value, zone)
    return caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "2025-10-04T12:00:00Z",
        "2025-10-04t12:00:00z",
        "2025-10-04 12:00:00Z",
        "2025-10-04T12:00Z",
        "2025-10-04T12:00:00.0Z",
        "2025-10-04T12:00:00,000Z",
        "2025-10-04T12:00:00+00:00",
        "2025-10-04T12:00:00-00:00",
        "2025-10-04T05:00:00-07:00",
        "2025-10-04T05:00:00-07",
        "2025-10-04T17:30:00+0530",
        "2025-10-05T11:59:00+23:59",
        "20251004T120000Z",
        "20251004T1200Z",
        "20251004T140000.000+0200",
    ],
)
def test_the_forms_of_iso_8601_are_one_moment(text: str) -> None:
    assert to_microseconds(text, None) == NOON_US
    assert to_microseconds(text, OREGON) == NOON_US


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [(".5", 500_000), (".123456", 123_456), (",25", 250_000), (".1234567", 123_456),
     (".9999999999", 999_999), (".0000009", 0)],
)  # fmt: skip
def test_digits_beyond_the_microsecond_are_cut(fraction: str, microseconds: int) -> None:
    assert to_microseconds(f"2025-10-04T12:00:00{fraction}Z", None) == NOON_US + microseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2025-10-04",
        "2025-10-04Z",
        "2025-13-04T12:00:00Z",
        "2025-02-29T12:00:00Z",
        "2025-10-04T24:00:00Z",
        "2025-10-04T23:59:60Z",
        "2025-10-04T12:60:00Z",
        "2025-10-04T12Z",
        "2025-10-04T12:00:00.Z",
        "2025-10-04T12:00:00+24:00",
        "2025-10-04T12:00:00+05:60",
        "2025-10-04T12:00:00 UTC",
        "2025-10-04T12:00:00Z ",
        " 2025-10-04T12:00:00Z",
        "2025-10-04T12:00:00Z\n",
        "2025-10-04x12:00:00Z",
        "2025-W40-6T12:00:00Z",
        "٢٠٢٥-10-04T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "10/04/2025 12:00:00Z",
        "1759579200",
        "\0",
        "2025-10-04T12:00:00." + "0" * 60 + "Z",
    ],
)
def test_other_texts_are_no_timestamps(text: str) -> None:
    assert reason(text) == Reason.INVALID_TIMESTAMP
    assert reason(text, OREGON) == Reason.INVALID_TIMESTAMP


@pytest.mark.parametrize(
    "value",
    ["0001-01-01T23:59:59Z", "0001-01-01T00:00:00+12:00", "9999-12-31T00:00:00Z",
     "9999-12-31T23:59:59.999999-23:59", 10**15, -(10**14), 10**4000, 1e18, -1e300],
)  # fmt: skip
def test_times_need_a_date_in_every_zone(value: str | float) -> None:
    assert reason(value) == Reason.INVALID_TIMESTAMP


def test_a_text_may_have_64_characters() -> None:
    text = f"2025-10-04T12:00:00.{'0' * 43}Z"
    assert len(text) == 64
    assert to_microseconds(text, None) == NOON_US
    assert reason(text.replace("Z", "0Z")) == Reason.INVALID_TIMESTAMP


def test_texts_become_integers() -> None:
    for text, zone in (("2025-10-04T12:00:00Z", None), ("2025-10-04T05:00:00", OREGON)):
        assert type(to_microseconds(text, zone)) is int


def test_the_first_and_last_moments_are_taken() -> None:
    first = (datetime(1, 1, 2, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400
    assert to_microseconds("0001-01-02T00:00:00Z", None) == first * SECOND
    assert to_microseconds("9999-12-30T23:59:59.999999Z", None) == 253_402_214_400 * SECOND - 1


@pytest.mark.parametrize(
    ("number", "microseconds"),
    [
        (0, 0),
        (-1, -SECOND),
        (1_759_579_200, NOON_US),
        (1_759_579_200_123, NOON_US + 123_000),
        (1_759_579_200.123456, NOON_US + 123_456),
        (1_759_579_200_123.456, NOON_US + 123_456),
        (1_759_579_200.0, NOON_US),
        (1.759579200123e12, NOON_US + 123_000),
        (10**11 - 1, (10**11 - 1) * SECOND),
        (10**11, 10**14),
        (-(10**11), -(10**14)),
        (0.5, 500_000),
        (-0.25, -250_000),
    ],
)
def test_numbers_are_seconds_or_milliseconds(number: float, microseconds: int) -> None:
    assert to_microseconds(number, None) == microseconds


@settings(deadline=None)
@given(st.integers(-62_135_510_400, 99_999_999_999))
def test_integers_are_exact_and_equal_the_same_floats(seconds: int) -> None:
    assert to_microseconds(seconds, None) == seconds * SECOND
    assert to_microseconds(float(seconds), None) == seconds * SECOND


# From 2^33 s (2242-03-16) on, neighbouring doubles are more than a microsecond apart.
@settings(deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2242, 3, 16)))
def test_a_float_of_seconds_keeps_the_microsecond(moment: datetime) -> None:
    exact = to_microseconds(moment.isoformat(), ZoneInfo("UTC"))
    assert to_microseconds(exact / 1e6, None) == exact


@settings(deadline=None)
@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.timezones()))
def test_what_python_writes_is_read(moment: datetime) -> None:
    offset = moment.utcoffset()
    assert offset is not None
    wanted = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC) - offset
    if offset.seconds % 60 == 0:
        got = to_microseconds(moment.isoformat(), None)
        assert got == (wanted.days * 86_400 + wanted.seconds) * SECOND + wanted.microseconds


@settings(deadline=None)
@given(st.text() | st.floats(allow_nan=False) | st.integers(), st.sampled_from([None, OREGON]))
def test_anything_is_a_time_or_refused(value: str | float, zone: ZoneInfo | None) -> None:
    try:
        assert isinstance(to_microseconds(value, zone), int)
    except Rejection as refusal:
        refusal.detail.encode()


def test_a_text_without_zone_needs_the_setting() -> None:
    assert reason("2025-10-04T12:00:00") == Reason.TIMESTAMP_WITHOUT_ZONE
    assert to_microseconds("2025-10-04T05:00:00", OREGON) == NOON_US


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2011-03-13T01:59:59", "2011-03-13T09:59:59Z"),
        ("2011-03-13T02:00:00", Reason.NONEXISTENT_LOCAL_TIME),
        ("2011-03-13T02:59:59.999999", Reason.NONEXISTENT_LOCAL_TIME),
        ("2011-03-13T03:00:00", "2011-03-13T10:00:00Z"),
        ("2011-11-06T00:59:59", "2011-11-06T07:59:59Z"),
        ("2011-11-06T01:00:00", Reason.AMBIGUOUS_LOCAL_TIME),
        ("2011-11-06T01:59:59.999999", Reason.AMBIGUOUS_LOCAL_TIME),
        ("2011-11-06T02:00:00", "2011-11-06T10:00:00Z"),
    ],
)
def test_local_times_that_clocks_skip_or_repeat_are_refused(
    text: str, wanted: str | Reason
) -> None:
    if isinstance(wanted, Reason):
        assert reason(text, OREGON) == wanted
    else:
        assert to_microseconds(text, OREGON) == to_microseconds(wanted, None)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_local_times_at_the_ends_of_the_calendar_are_refused(text: str) -> None:
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        assert reason(text, ZoneInfo(zone)) == Reason.INVALID_TIMESTAMP
