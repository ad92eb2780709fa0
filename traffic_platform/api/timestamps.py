"""Parsing of timestamps in query parameters."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from traffic_platform.api.problems import ProblemError


def parse_instant(text: str, field: str) -> datetime:
    """Parse ISO 8601 with an offset; return it in UTC. Raises ProblemError (422) naming `field`.

    A space before the offset is an unescaped plus. Week dates (2025-W40-6) are rejected.
    """
    date, _, clock = text.strip().partition("T")
    with suppress(ValueError, OverflowError):
        time = datetime.fromisoformat(f"{date}T{clock.replace(' ', '+')}" if clock else date)
        if time.tzinfo is not None and "W" not in date:
            return time.astimezone(UTC)
    raise ProblemError(
        422,
        f"{field} is not a valid time. Use ISO 8601 with an offset, such as 2025-10-04T12:00:00Z.",
        field=field,
    )
