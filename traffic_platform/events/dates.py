"""Dates: days in the platform's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

_EPOCH_DATE = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_QUARTER_US = 15 * 60 * 1_000_000
_DAY_US = 24 * 3600 * 1_000_000

Times = npt.NDArray[np.int64]


def local_days(timestamp_us: Times, timezone: str) -> npt.NDArray[np.int32]:
    """Return days since 1970-01-01 in `timezone` of times in microseconds since 1970-01-01 UTC.

    Raises OverflowError for times whose local date is outside the years 1 to 9999.
    """
    if timezone == "UTC":
        return (timestamp_us // _DAY_US).astype(np.int32)
    return ((timestamp_us + _offsets_us(timestamp_us, timezone)) // _DAY_US).astype(np.int32)


def to_date(day: int) -> date:
    """Return the date that is `day` days after 1970-01-01."""
    return _EPOCH_DATE + timedelta(days=day)


def day_bounds(day: date, timezone: str) -> tuple[datetime, datetime]:
    """Return the first instant of a day in `timezone` and the first after it, in UTC.

    Both are equal where a zone left out the day (Samoa, 2011-12-30).
    """
    return instant(day, time(), timezone), instant(day + timedelta(days=1), time(), timezone)


def instant(day: date, clock: time, timezone: str) -> datetime:
    """Return the instant in UTC when the clocks of `timezone` show a time.

    Of a repeated time the first one counts; a skipped time means the clock change.
    """
    return datetime.combine(day, clock, ZoneInfo(timezone)).astimezone(UTC)


def to_microseconds(time: datetime) -> int:
    """Return microseconds since 1970-01-01 UTC of an aware time."""
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Return the time at these microseconds since 1970-01-01 UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _offsets_us(timestamp_us: Times, timezone: str) -> Times:
    """Return the UTC offset of `timezone` at each time (microseconds)."""
    zone = ZoneInfo(timezone)
    quarters, inverse = np.unique(timestamp_us // _QUARTER_US, return_inverse=True)
    starts = (quarters * _QUARTER_US).tolist()
    first = np.array([_offset_us(start, zone) for start in starts], dtype=np.int64)
    last = np.array([_offset_us(start + _QUARTER_US - 1, zone) for start in starts], dtype=np.int64)
    offsets = first[inverse]
    # Clocks change at full quarters of an hour, except in a few zones before 1973.
    for row in np.flatnonzero((first != last)[inverse]).tolist():
        offsets[row] = _offset_us(int(timestamp_us[row]), zone)
    return offsets


def _offset_us(timestamp_us: int, zone: ZoneInfo) -> int:
    offset = (_EPOCH + timedelta(microseconds=timestamp_us)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // _MICROSECOND
