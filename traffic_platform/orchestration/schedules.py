"""What runs by the clock. Each looks first whether there is anything to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from dagster import (
    DagsterRunStatus,
    DefaultScheduleStatus,
    JobDefinition,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    SCHEDULE_NAME_TAG,
)

from traffic_platform.orchestration.checks_job import checks_config
from traffic_platform.orchestration.housekeeping import dagster_connection
from traffic_platform.orchestration.retention import RUN_DAYS, expendable_runs
from traffic_platform.orchestration.rollups import rollups_config
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]
_T = TypeVar("_T")

# Half an hour behind is soon enough to send somebody to a detector, and for what only a defect or a
# lost topic can cause.
CHECKS_CRON = "*/30 * * * *"
# In the platform's zone: what detectors held back over midnight has mostly arrived by then, and the
# date's detectors have been diagnosed.
CLOSED_DATE_CHECKS = "closed_date_checks"
CLOSED_DATE_CRON = "20 5 * * *"
# Of a history that is being loaded, the newest dates; the others are for `traffic check --date` and
# for a backfill of the checks in Dagster.
MOST_DATES = 7
_OVERLAP = timedelta(minutes=1)
# Diagnoses say when their computing began; the nightly one is an hour before the dates' checks.
_DIAGNOSIS_OVERLAP = timedelta(minutes=30)
_FIRST_LOOK = timedelta(hours=1)
# Off the half hour, so that the two do not start together.
RETENTION_CRON = "7 * * * *"
# In the platform's zone: long after midnight, so that what was late for the day is there, early
# enough for whoever goes out in the morning, and at a time that no zone's clocks leave out.
HEALTH_CRON = "20 4 * * *"
# Before the detectors are diagnosed and the date is checked.
ROLLUPS_CRON = "50 3 * * *"
# The days before yesterday are judged again: data that came later heals them.
HEALTH_DAYS = 3
# Earlier dates that late data has changed, or that a machine which was off has missed, in a night.
# A history that is being loaded takes several.
MOST_LATE_DATES = 31
# How far back in the audit data is looked for that came for a date after its diagnosis: each night
# has asked for what came since the one before, so this is for how long that may have failed.
LATE_LOOK_BACK = timedelta(days=60)


def checks_schedule(settings: Settings, checks: JobDefinition) -> ScheduleDefinition:
    """The checks of the tables, and of the dates touched since the last time that they ran.

    Also where nothing has arrived since: that a feed is silent is one of the things they find.
    """

    @schedule(
        name="event_table_checks",
        job=checks,
        cron_schedule=CHECKS_CRON,
        default_status=DefaultScheduleStatus.RUNNING,
        description="Checks the event tables and the dates that data arrived for since last time.",
    )
    def event_table_checks(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        since = (
            _last_success(context, checks, "event_table_checks") or datetime.now(UTC) - _FIRST_LOOK
        )
        touched = _ask(settings, lambda connection: _touched(connection, settings, since))
        if isinstance(touched, SkipReason):
            return touched
        if not touched.moved:
            return SkipReason("Nothing has arrived yet.")
        return RunRequest(run_config=checks_config(touched.days, closed=False))

    return event_table_checks


def health_schedule(settings: Settings, health: UnresolvedAssetJobDefinition) -> ScheduleDefinition:
    """Detector health of the last days that are over, and of earlier ones that data came for."""

    @schedule(
        name="detector_health",
        job=health,
        cron_schedule=HEALTH_CRON,
        execution_timezone=settings.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=(
            f"Diagnoses the detectors of the last {HEALTH_DAYS} days, and of every date before that"
            " data has come for since."
        ),
    )
    def detector_health(
        context: ScheduleEvaluationContext,
    ) -> list[RunRequest] | SkipReason:
        at = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone))
        moved = _ask(settings, _ledger_moved)
        if isinstance(moved, SkipReason):
            return moved
        if not moved:
            return SkipReason("Nothing has arrived yet.")
        today = at.date()
        first = max(settings.first_date, today - timedelta(days=HEALTH_DAYS))
        if first >= today:
            return SkipReason(f"No day since TRAFFIC_FIRST_DATE, {first}, is over.")
        late = _ask(settings, lambda connection: _late_dates(connection, settings, first))
        if isinstance(late, SkipReason):
            return late
        lately = [first + timedelta(days=number) for number in range((today - first).days)]
        tick = at.isoformat()  # Dagster wants a key for each of several requests
        # A run a date: where the readings of one cannot be trusted, the others are diagnosed.
        return [_of_dates(day, day, tick) for day in (*reversed(lately), *late)]

    return detector_health


def rollups_schedule(
    settings: Settings, rollups: UnresolvedAssetJobDefinition
) -> ScheduleDefinition:
    """Yesterday's roll-ups, once it is surely over; dates before, where late data dirtied them."""

    @schedule(
        name="readings_rollups",
        job=rollups,
        cron_schedule=ROLLUPS_CRON,
        execution_timezone=settings.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
        description="Infers what lists do not tell, folds what is dirty, and computes yesterday.",
    )
    def readings_rollups(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        at = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone))
        day = at.date() - timedelta(days=1)
        moved = _ask(settings, _ledger_moved)
        if isinstance(moved, SkipReason):
            return moved
        if not moved:
            return SkipReason("Nothing has arrived yet.")
        if day < settings.first_date:
            return SkipReason(f"No day since TRAFFIC_FIRST_DATE, {settings.first_date}, is over.")
        return RunRequest(run_config=rollups_config(upkeep=True), tags=_of_dates(day, day).tags)

    return readings_rollups


def closed_date_schedule(settings: Settings, checks: JobDefinition) -> ScheduleDefinition:
    """All checks of yesterday, expectations on every row included, once it is surely over.

    And of every date before that data has come for since the last time, be it late, or be it that
    the machine was off; and of those whose detectors have been diagnosed since, for what has not
    been diagnosed is not evaluated.
    """

    @schedule(
        name=CLOSED_DATE_CHECKS,
        job=checks,
        cron_schedule=CLOSED_DATE_CRON,
        execution_timezone=settings.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=(
            "Checks yesterday, and dates before that data came for, or whose detectors were"
            " diagnosed, since the last time."
        ),
    )
    def closed_date_checks(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        at = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone))
        day = at.date() - timedelta(days=1)
        since = _last_success(context, checks, CLOSED_DATE_CHECKS)
        touched = _ask(
            settings,
            lambda connection: _touched(connection, settings, since or at, diagnosed_before=day),
        )
        if isinstance(touched, SkipReason):
            # PostgreSQL may be away for a while: the run then fails, where it can be seen.
            return RunRequest(run_config=checks_config([day], closed=True))
        if not touched.moved:
            return SkipReason("Nothing has arrived yet.")
        late = [one for one in touched.days if one < day]
        return RunRequest(run_config=checks_config([day, *late], closed=True))

    return closed_date_checks


def retention_schedule(settings: Settings, retention: JobDefinition) -> ScheduleDefinition:
    """The purge of Dagster's storage, when something is old enough."""

    @schedule(
        name="purge_dagster_storage",
        job=retention,
        cron_schedule=RETENTION_CRON,
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"Deletes from Dagster's storage what is older than {RUN_DAYS} days.",
    )
    def purge_dagster_storage(_context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        before = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=RUN_DAYS)
        with dagster_connection(settings) as connection:
            if not expendable_runs(connection, before):
                return SkipReason(f"Nothing is older than {RUN_DAYS} days.")
        return RunRequest()

    return purge_dagster_storage


def _of_dates(first: date, last: date, tick: str | None = None) -> RunRequest:
    return RunRequest(
        run_key=tick and f"{tick}/{first}",
        tags={
            ASSET_PARTITION_RANGE_START_TAG: first.isoformat(),
            ASSET_PARTITION_RANGE_END_TAG: last.isoformat(),
        },
    )


def _late_dates(connection: Connection, settings: Settings, before: date) -> list[date]:
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


def _ask(settings: Settings, question: Callable[[Connection], _T]) -> _T | SkipReason:
    """What PostgreSQL answers, or why there is no answer."""
    from traffic_platform.ingest.connections import connect

    try:
        url = settings.endpoints().read_url
        with connect(url, application_name="traffic-checks", autocommit=True) as connection:
            return question(connection)
    except psycopg.OperationalError as error:
        return SkipReason(f"PostgreSQL is away: {error}")


def _ledger_moved(connection: Connection) -> datetime | None:
    row = connection.execute("select max(updated_at) from traffic.kafka_offsets").fetchone()
    return row[0] if row else None


def _last_success(
    context: ScheduleEvaluationContext, job: JobDefinition, schedule_name: str
) -> datetime | None:
    """When the newest run of a schedule that succeeded was asked for, and a little before.

    What was in a transaction when it began is not in its look.
    """
    asked = RunsFilter(
        job_name=job.name,
        statuses=[DagsterRunStatus.SUCCESS],
        tags={SCHEDULE_NAME_TAG: schedule_name},
    )
    records = context.instance.get_run_records(asked, limit=1)
    return records[0].create_timestamp.replace(tzinfo=UTC) - _OVERLAP if records else None


def _touched(
    connection: Connection,
    settings: Settings,
    since: datetime,
    diagnosed_before: date | None = None,
) -> Touched:
    """Of diagnoses, those of dates before a day; None: none."""
    from traffic_platform.quality.reading import read_rows

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
    return Touched(sorted(days, reverse=True), _ledger_moved(connection))
