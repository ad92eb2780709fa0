"""A date of the platform as a part of a path, and what its readings lie between."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Path, Request

from traffic_platform.api.database import Database
from traffic_platform.api.problems import ProblemError
from traffic_platform.detector_health.local_day import local_day

# `date.fromisoformat` reads weeks (2025-W40-6), too, and \d is every script's digits.
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATE = re.compile(DATE)
# Beyond, zones have no rules, and nothing was ever measured.
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_NOTHING = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Day:
    """A date of the platform's zone; its instants are from `lower` to before `upper` (UTC)."""

    date: date
    timezone: str
    lower: datetime
    upper: datetime


DatePath = Annotated[
    str,
    Path(
        description="A day in the platform's zone, YYYY-MM-DD.",
        examples=["2025-10-04"],
        json_schema_extra={"format": "date", "pattern": f"^{DATE}$"},
    ),
]


async def get_day(request: Request, date: DatePath) -> Day:
    """The day that a path names. Raises ProblemError (422) where it names none."""
    return await day_of(request.app.state.database, date)


async def day_of(database: Database, text: str) -> Day:
    """The day that a text names. Raises ProblemError (422) where it names none."""
    wanted = parse_date(text)
    timezone = await database.timezone()
    if not _FIRST_YEAR <= wanted.year <= _LAST_YEAR:
        return Day(wanted, timezone, _NOTHING, _NOTHING)
    day = local_day(wanted, timezone)
    return Day(wanted, timezone, day.start, day.end)


def parse_date(text: str, field: str = "date") -> date:
    """YYYY-MM-DD and nothing else. Raises ProblemError (422) that names `field`."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ProblemError(
            422, f"{field} must be a date as YYYY-MM-DD, such as 2025-10-04", field=field
        ) from None
