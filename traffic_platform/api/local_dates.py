"""Dates in paths: a day in the platform's time zone and its bounds in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Path, Request

from traffic_platform.api.database import Database
from traffic_platform.api.problems import ProblemError
from traffic_platform.detector_health.local_day import local_day

# `date.fromisoformat` also accepts weeks (2025-W40-6), and \d matches the digits of every script.
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATE = re.compile(DATE)
# Time zones have no rules outside these years, and no readings exist.
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_EMPTY = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Day:
    """A date in the platform's zone. It lasts from `lower` until before `upper` (UTC)."""

    date: date
    timezone: str
    lower: datetime
    upper: datetime


DatePath = Annotated[
    str,
    Path(
        description="A day in the platform's time zone, as YYYY-MM-DD.",
        examples=["2025-10-04"],
        json_schema_extra={"format": "date", "pattern": f"^{DATE}$"},
    ),
]


async def get_day(request: Request, date: DatePath) -> Day:
    """Return the day in a path. Raises ProblemError (422) for an invalid date."""
    return await day_of(request.app.state.database, date)


async def day_of(database: Database, text: str) -> Day:
    """Return the day of a YYYY-MM-DD text. Raises ProblemError (422) for an invalid date."""
    wanted = parse_date(text)
    timezone = await database.timezone()
    if not _FIRST_YEAR <= wanted.year <= _LAST_YEAR:
        return Day(wanted, timezone, _EMPTY, _EMPTY)
    day = local_day(wanted, timezone)
    return Day(wanted, timezone, day.start, day.end)


def parse_date(text: str, field: str = "date") -> date:
    """Parse YYYY-MM-DD and no other form. Raises ProblemError (422) that names `field`."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ProblemError(
            422,
            f"{field} is not a valid date. Use YYYY-MM-DD, such as 2025-10-04.",
            field=field,
        ) from None
