"""Timestamps of events: ISO 8601 with an offset, or epoch seconds or milliseconds.

Dates of ISO 8601 (2025-10-04 or 20251004), then T or a space, then the time to the minute, second
or a fraction of it (digits beyond microseconds are cut), then Z or an offset (+02, +0200, +02:00).
Numbers whose absolute value is at least 10^11 are milliseconds, others seconds. As milliseconds,
10^11 is 1973-03-03; as seconds it is in the year 5138.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.texts import describe, quote

LONGEST_TEXT = 64
"""Most characters of a timestamp. The limit also bounds the memory of known timestamps."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MILLISECONDS_FROM = 10**11
_BEYOND = 10**18  # later than the year 9999 in either unit

_HOUR = "(?:[01][0-9]|2[0-3])"
_SIXTY = "[0-5][0-9]"
_ZONE = f"(?:[Zz]|[+-]{_HOUR}(?::?{_SIXTY})?)?"
_EXTENDED = f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt ]{_HOUR}:{_SIXTY}(?::{_SIXTY}(?:[.,][0-9]+)?)?"
_BASIC = f"[0-9]{{8}}[Tt ]{_HOUR}{_SIXTY}(?:{_SIXTY}(?:[.,][0-9]+)?)?"
_ISO_8601 = re.compile(f"(?:{_EXTENDED}|{_BASIC}){_ZONE}")

# The years 1 to 9999 that Python and PostgreSQL share, less a day at both ends, so that a time has
# a date in every zone.
_EARLIEST_US = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST_US = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // _MICROSECOND - 1


def to_microseconds(value: str | int | float, naive_zone: ZoneInfo | None) -> int:
    """Return microseconds since 1970-01-01 UTC; integers are exact.

    `naive_zone` is the zone of texts without one (None: they are rejected). Raises Rejection:
    invalid_timestamp, timestamp_without_zone, ambiguous_local_time, nonexistent_local_time.
    """
    if isinstance(value, str):
        timestamp_us = _from_text(value, naive_zone)
    else:
        timestamp_us = _from_epoch(value) if abs(value) < _BEYOND else _BEYOND
    if not _EARLIEST_US <= timestamp_us <= _LATEST_US:
        raise Rejection(
            Reason.INVALID_TIMESTAMP,
            f"timestamp is {describe(value)}, outside the years 1 to 9999 "
            "(numbers are epoch seconds or milliseconds)",
        )
    return timestamp_us


def _from_epoch(value: int | float) -> int:
    unit_us = 1_000 if abs(value) >= _MILLISECONDS_FROM else 1_000_000
    if isinstance(value, int):
        return value * unit_us
    # Whole and fraction apart, since a double does not hold their product to the microsecond.
    fraction, whole = math.modf(value)
    return int(whole) * unit_us + round(fraction * unit_us)


def _from_text(text: str, naive_zone: ZoneInfo | None) -> int:
    if len(text) > LONGEST_TEXT or not _ISO_8601.fullmatch(text):
        raise _no_time(text)
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:  # no such month or day
        raise _no_time(text) from None
    if moment.tzinfo is not None:
        return (moment - _EPOCH) // _MICROSECOND
    if naive_zone is None:
        raise Rejection(
            Reason.TIMESTAMP_WITHOUT_ZONE,
            f"timestamp {quote(text)} names no zone; TRAFFIC_NAIVE_TIMEZONE can say which zone "
            "such feeds mean",
        )
    offset = _offset(moment, naive_zone, text)
    return (moment.replace(tzinfo=UTC) - _EPOCH - offset) // _MICROSECOND


def _no_time(text: str) -> Rejection:
    return Rejection(
        Reason.INVALID_TIMESTAMP,
        f"timestamp is the text {quote(text)}, which is no date and time of ISO 8601",
    )


def _offset(local: datetime, zone: ZoneInfo, text: str) -> timedelta:
    """Return the UTC offset of `zone` at a local time that occurred exactly once."""
    # PEP 495: fold chooses the earlier or the later meaning of a time that a clock change repeats
    # or skips. For any other time both are the same.
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    assert second is not None
    if first > second:
        raise Rejection(
            Reason.AMBIGUOUS_LOCAL_TIME,
            f"timestamp {quote(text)} was twice in {zone.key}, where clocks went back",
        )
    if first < second:
        raise Rejection(
            Reason.NONEXISTENT_LOCAL_TIME,
            f"timestamp {quote(text)} never was in {zone.key}, where clocks went forward",
        )
    return first
