"""Event times: ISO 8601 text, or seconds or milliseconds since 1970, to microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from traffic_platform.events.reasons import Reason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

MILLISECONDS_FROM = 100_000_000_000
"""Numbers from here on are milliseconds: as seconds they would lie beyond the year 5138, and as
milliseconds anything below lies before March 1973."""


@dataclass(frozen=True)
class BadTime:
    """A timestamp that cannot be taken, and why."""

    reason: Reason
    detail: str


def parse_timestamp(value: str | float, naive_zone: ZoneInfo | None) -> int | BadTime:
    """Microseconds since 1970-01-01 UTC.

    Text is ISO 8601; digits beyond the microsecond are cut off. Text without a zone is taken in
    `naive_zone`, or refused when that is None.
    """
    return _parse_text(value, naive_zone) if isinstance(value, str) else _parse_number(value)


def _parse_number(value: float) -> int | BadTime:
    scale = 1_000 if abs(value) >= MILLISECONDS_FROM else 1_000_000
    if abs(value) > _LATEST_US:
        return _invalid(value)
    return _in_range(round(value * scale), value)


def _parse_text(text: str, naive_zone: ZoneInfo | None) -> int | BadTime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _invalid(text)
    if moment.tzinfo is not None:
        return _in_range((moment - _EPOCH) // _MICROSECOND, text)
    if naive_zone is None:
        return BadTime(
            Reason.TIMESTAMP_WITHOUT_ZONE,
            f"timestamp {shorten(text)} names no zone and TRAFFIC_NAIVE_TIMEZONE is not set",
        )
    return _parse_local(text, moment, naive_zone)


def _parse_local(text: str, moment: datetime, zone: ZoneInfo) -> int | BadTime:
    try:
        early, late = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if early.utcoffset() != late.utcoffset():
            back = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
            if back == moment:
                return BadTime(
                    Reason.AMBIGUOUS_LOCAL_TIME, f"timestamp {shorten(text)} is twice in {zone.key}"
                )
            return BadTime(
                Reason.NONEXISTENT_LOCAL_TIME, f"timestamp {shorten(text)} is not in {zone.key}"
            )
        return _in_range((early - _EPOCH) // _MICROSECOND, text)
    except OverflowError:
        return _invalid(text)


def _in_range(microseconds: int, value: str | float) -> int | BadTime:
    inside = _EARLIEST_US <= microseconds <= _LATEST_US
    return microseconds if inside else _invalid(value)


def _invalid(value: str | float) -> BadTime:
    return BadTime(
        Reason.INVALID_TIMESTAMP,
        f"timestamp {shorten(value)} is neither ISO 8601 nor seconds or milliseconds since 1970",
    )


def shorten(value: object, limit: int = 120) -> str:
    """A value for people: escaped, so that PostgreSQL can hold it, and not longer than `limit`."""
    try:
        text = ascii(value)
    except ValueError:  # an integer of more digits than Python converts
        return "(a number of thousands of digits)"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
