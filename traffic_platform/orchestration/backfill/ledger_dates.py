"""What schedules ask PostgreSQL: for which dates there is something to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from dagster import SkipReason

from traffic_platform.settings import Settings
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]
_T = TypeVar("_T")

# Of a history that is being loaded, the newest dates; the others are for `traffic check --date` and
# for a backfill of the checks in Dagster.
MOST_DATES = 7
# Earlier dates that late data has changed, or that a machine which was off has missed, in a night.
# A history that is being loaded takes several.
MOST_LATE_DATES = 31
# How far back in the audit data is looked for that came for a date after its diagnosis: each night
# has asked for what came since the one before, so this is for how long that may have failed.
LATE_LOOK_BACK = timedelta(days=60)
# Diagnoses say when their computing began; the nightly one is an hour before the dates' checks.
_DIAGNOSIS_OVERLAP = timedelta(minutes=30)


def late_dates(connection: Connection, settings: Settings, before: date) -> list[date]:
    """Dates before a day that data has come for since they were diagnosed, the newest first."""
    bounds = {
        "before": before,
        "first_date": settings.first_date,
        "since": datetime.combine(before, time(), UTC) - LATE_LOOK_BACK,
        "most": MOST_LATE_DATES,
    }
    rows = connection.execute(statement("orchestration/late_dates"), bounds).fetchall()
    return [row[0] for row in rows]


@dataclass(frozen=True)
class Touched:
    """The newest dates of what was stored or diagnosed, and when the ledger last moved, if ever."""

    days: list[date]
    moved: datetime | None


def ask(settings: Settings, question: Callable[[Connection], _T]) -> _T | SkipReason:
    """What PostgreSQL answers, or why there is no answer."""
    from traffic_platform.postgres.connections import connect

    try:
        url = settings.endpoints().read_url
        with connect(url, application_name="traffic-checks", autocommit=True) as connection:
            return question(connection)
    except psycopg.OperationalError as error:
        return SkipReason(f"PostgreSQL is away: {error}")


def ledger_moved(connection: Connection) -> datetime | None:
    """When an offset was last stored; None: never."""
    row = connection.execute("select max(updated_at) from traffic.kafka_offsets").fetchone()
    return row[0] if row else None


def touched_dates(
    connection: Connection,
    settings: Settings,
    since: datetime,
    diagnosed_before: date | None = None,
) -> Touched:
    """The dates of what was stored, or rebuilt, since a moment.

    With `diagnosed_before` also the dates before it whose diagnoses have been written since.
    """
    from traffic_platform.quality.check_statements import read_rows

    rows = read_rows(
        connection,
        "touched_dates",
        since=since,
        most=MOST_DATES,
        timezone=settings.timezone,
        first_date=settings.first_date,
        today=datetime.now(ZoneInfo(settings.timezone)).date(),
    )
    days = {row["day"] for row in rows}
    if diagnosed_before is not None:
        bounds = {
            "since": since - _DIAGNOSIS_OVERLAP,
            "before": diagnosed_before,
            "most": MOST_DATES,
        }
        found = connection.execute(statement("orchestration/diagnosed_since"), bounds).fetchall()
        days |= {row[0] for row in found}
    return Touched(sorted(days, reverse=True), ledger_moved(connection))
