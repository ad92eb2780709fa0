"""Moments as clients write them."""

from __future__ import annotations

from datetime import UTC, datetime

from traffic_platform.api.problems import ProblemError


def parse_instant(text: str, field: str) -> datetime:
    """ISO 8601 with an offset, in UTC. Raises ProblemError (422) that names `field`.

    A space where the offset begins is a plus that was not escaped. Dates by weeks are none of ours.
    """
    date, _, clock = text.strip().partition("T")
    if "W" in date:
        raise _wrong(field)
    try:
        moment = datetime.fromisoformat(f"{date}T{clock.replace(' ', '+')}" if clock else date)
    except ValueError:
        raise _wrong(field) from None
    if moment.tzinfo is None:
        raise _wrong(field)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _wrong(field) from None


def _wrong(field: str) -> ProblemError:
    return ProblemError(
        422,
        f"{field} must be a time with an offset, such as 2025-10-04T12:00:00Z",
        field=field,
    )
