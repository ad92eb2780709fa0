"""Dates are days in the platform's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

_EPOCH = date(1970, 1, 1)
_QUARTER_US = 15 * 60 * 1_000_000
_DAY_US = 24 * 3600 * 1_000_000


def local_days(timestamp_us: npt.NDArray[np.int64], timezone: str) -> npt.NDArray[np.int32]:
    """Days since 1970-01-01 in `timezone` of times in microseconds since 1970-01-01 UTC."""
    if timezone == "UTC":
        return (timestamp_us // _DAY_US).astype(np.int32)
    # Offsets of zones change on quarters of an hour since 1970, so one look-up a quarter is enough.
    quarters, inverse = np.unique(timestamp_us // _QUARTER_US, return_inverse=True)
    zone = ZoneInfo(timezone)
    offsets = np.array([_offset_us(int(quarter), zone) for quarter in quarters], dtype=np.int64)
    if len(offsets) == 0:
        return np.zeros(0, dtype=np.int32)
    return ((timestamp_us + offsets[inverse.ravel()]) // _DAY_US).astype(np.int32)


def to_date(day: int) -> date:
    """The date that is `day` days after 1970-01-01."""
    return _EPOCH + timedelta(days=day)


def _offset_us(quarter: int, zone: ZoneInfo) -> int:
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=quarter * _QUARTER_US)
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)
