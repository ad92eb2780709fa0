"""Schedules of the checks: every half hour, and each morning for the date that is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
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
from dagster._core.storage.tags import SCHEDULE_NAME_TAG

from traffic_platform.orchestration.changed_dates import NO_DATA, changed_dates, query_database
from traffic_platform.orchestration.checks.checks_job import checks_config
from traffic_platform.settings import Settings

# Half an hour is soon enough to send somebody to a detector, and to report what only a defect or a
# lost topic can cause.
CHECKS_CRON: Final = "*/30 * * * *"
TABLE_CHECKS: Final = "event_table_checks"
# In the platform's zone. By this time most of the data that detectors held back over midnight has
# arrived, and the detectors of the date are diagnosed.
CLOSED_DATE_CRON: Final = "20 5 * * *"
CLOSED_DATE_CHECKS: Final = "closed_date_checks"
# A run does not see transactions that were open when it began; the next run looks back over them.
_OVERLAP = timedelta(minutes=1)
_FIRST_PERIOD = timedelta(hours=1)


def checks_schedule(settings: Settings, checks: JobDefinition) -> ScheduleDefinition:
    """Check the tables, and the dates that changed since the schedule's last successful run.

    It also runs when nothing has arrived since then, because a check finds silent feeds.
    """

    @schedule(
        name=TABLE_CHECKS,
        job=checks,
        cron_schedule=CHECKS_CRON,
        default_status=DefaultScheduleStatus.RUNNING,
        description=(
            "Checks the event tables, and the dates that received data since the last run. Each"
            " check's runbook (docs/runbooks) says what to do when it fails."
        ),
    )
    def event_table_checks(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        since = _last_success(context, checks, TABLE_CHECKS) or datetime.now(UTC) - _FIRST_PERIOD
        changed = query_database(
            settings, lambda connection: changed_dates(connection, settings, since)
        )
        if isinstance(changed, SkipReason):
            return changed
        if not changed.advanced_at:
            return SkipReason(NO_DATA)
        return RunRequest(run_config=checks_config(changed.days, closed=False))

    return event_table_checks


def closed_date_schedule(settings: Settings, checks: JobDefinition) -> ScheduleDefinition:
    """Run all checks of yesterday, including the expectations on every row.

    Also of earlier dates that received data since the last run, because the data was late or the
    machine was off, and of those that were diagnosed since: without a diagnosis the check of
    detector health is not evaluated.
    """

    @schedule(
        name=CLOSED_DATE_CHECKS,
        job=checks,
        cron_schedule=CLOSED_DATE_CRON,
        execution_timezone=settings.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=(
            "Checks yesterday, and earlier dates that received data, or whose detectors were"
            " diagnosed, since the last run. Only this schedule looks at every row with Great"
            " Expectations."
        ),
    )
    def closed_date_checks(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        at = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone))
        day = at.date() - timedelta(days=1)
        since = _last_success(context, checks, CLOSED_DATE_CHECKS) or at
        changed = query_database(
            settings, lambda connection: changed_dates(connection, settings, since, day)
        )
        if isinstance(changed, SkipReason):
            # The run waits for nothing: if PostgreSQL stays unavailable, it fails visibly.
            return RunRequest(run_config=checks_config([day], closed=True))
        if not changed.advanced_at:
            return SkipReason(NO_DATA)
        earlier = [one for one in changed.days if one < day]
        return RunRequest(run_config=checks_config([day, *earlier], closed=True))

    return closed_date_checks


def _last_success(
    context: ScheduleEvaluationContext, job: JobDefinition, schedule_name: str
) -> datetime | None:
    """Return when the schedule's newest successful run was requested, less the overlap."""
    successful = RunsFilter(
        job_name=job.name,
        statuses=[DagsterRunStatus.SUCCESS],
        tags={SCHEDULE_NAME_TAG: schedule_name},
    )
    records = context.instance.get_run_records(successful, limit=1)
    return records[0].create_timestamp.replace(tzinfo=UTC) - _OVERLAP if records else None
