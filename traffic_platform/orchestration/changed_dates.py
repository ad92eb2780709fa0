"""Queries of the schedules: dates with new data, and dates whose detectors need a diagnosis."""

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

# While history is being loaded, only the newest dates. `traffic check --date` and a backfill of
# the checks in Dagster are for the others.
MOST_DATES = 7
# Earlier dates per night: those with late data, and those that the machine missed while it was
# off. A long history takes several nights.
MOST_LATE_DATES = 31
# Each night finds the data that arrived after the night before, so this bounds how many nights may
# fail in a row before late data is missed.
LATE_LOOK_BACK = timedelta(days=60)
# A diagnosis carries the time at which it began; the nightly one starts an hour before the checks.
_DIAGNOSIS_OVERLAP = timedelta(minutes=30)

NO_DATA = "No data has arrived yet."


@dataclass(frozen=True)
class ChangedDates:
    """The newest dates with new data or a new diagnosis, newest first.

    `advanced_at`: when the ledger last advanced; None before the first message.
    """

    days: list[date]
    advanced_at: datetime | None


def query_database(settings: Settings, query: Callable[[Connection], _T]) -> _T | SkipReason:
    """Run the query as the reading role; return a SkipReason if PostgreSQL does not answer."""
    from traffic_platform.postgres.connections import connect

    try:
        url = settings.endpoints().read_url
        with connect(url, application_name="traffic-checks", autocommit=True) as connection:
            return query(connection)
    except psycopg.OperationalError as error:
        return SkipReason(f"PostgreSQL is unavailable: {error}")


def ledger_advanced_at(connection: Connection) -> datetime | None:
    """Return when an offset was last stored, None before the first one."""
    row = connection.execute("select max(updated_at) from traffic.kafka_offsets").fetchone()
    return row[0] if row else None


def late_dates(connection: Connection, settings: Settings, before: date) -> list[date]:
    """Return dates before a day that received data after their diagnosis, newest first."""
    bounds = {
        "before": before,
        "first_date": settings.first_date,
        "since": datetime.combine(before, time(), UTC) - LATE_LOOK_BACK,
        "most": MOST_LATE_DATES,
    }
    rows = connection.execute(statement("orchestration/late_dates"), bounds).fetchall()
    return [row[0] for row in rows]


def changed_dates(
    connection: Connection,
    settings: Settings,
    since: datetime,
    diagnosed_before: date | None = None,
) -> ChangedDates:
    """Return the dates that ingest, a backfill or reprocessing changed since a point in time.

    With `diagnosed_before`, also the dates before it whose diagnoses were written since then.
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
    return ChangedDates(sorted(days, reverse=True), ledger_advanced_at(connection))
