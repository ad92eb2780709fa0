"""What runs by the clock. Each looks first whether there is anything to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

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

from traffic_platform.orchestration.backfill.ledger_dates import (
    ask,
    late_dates,
    ledger_moved,
    touched_dates,
)
from traffic_platform.orchestration.checks.checks_job import checks_config
from traffic_platform.orchestration.maintenance.dagster_retention import RUN_DAYS, expendable_runs
from traffic_platform.orchestration.maintenance.retention_job import dagster_connection
from traffic_platform.orchestration.rollups.rollup_assets import rollups_config
from traffic_platform.settings import Settings

# Half an hour behind is soon enough to send somebody to a detector, and for what only a defect or a
# lost topic can cause.
CHECKS_CRON = "*/30 * * * *"
CLOSED_DATE_CHECKS = "closed_date_checks"
# In the platform's zone: what detectors held back over midnight has mostly arrived by then, and the
# date's detectors have been diagnosed.
CLOSED_DATE_CRON = "20 5 * * *"
_OVERLAP = timedelta(minutes=1)
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
        touched = ask(settings, lambda connection: touched_dates(connection, settings, since))
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
        moved = ask(settings, ledger_moved)
        if isinstance(moved, SkipReason):
            return moved
        if not moved:
            return SkipReason("Nothing has arrived yet.")
        today = at.date()
        first = max(settings.first_date, today - timedelta(days=HEALTH_DAYS))
        if first >= today:
            return SkipReason(f"No day since TRAFFIC_FIRST_DATE, {first}, is over.")
        late = ask(settings, lambda connection: late_dates(connection, settings, first))
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
        moved = ask(settings, ledger_moved)
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
        touched = ask(
            settings,
            lambda connection: touched_dates(connection, settings, since or at, day),
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
