"""The job that deletes old runs, events and check results from Dagster's storage, on schedule."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from datetime import UTC, datetime
from typing import Final

import psycopg
from dagster import (
    DefaultScheduleStatus,
    JobDefinition,
    OpExecutionContext,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    op,
    schedule,
)

from traffic_platform.orchestration.maintenance.dagster_retention import (
    RUN_DAYS,
    expendable_runs,
    purge,
)
from traffic_platform.orchestration.one_step_job import one_step_job
from traffic_platform.settings import Settings

# Off the half hour, so that it does not start together with the checks.
RETENTION_CRON: Final = "7 * * * *"
_MAX_RUNTIME_SECONDS: Final = 900


def dagster_connection(settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to Dagster's database in autocommit, with the schema that its URL names."""
    return psycopg.connect(settings.endpoints().dagster_url, autocommit=True, connect_timeout=5)


def retention_job(settings: Settings) -> JobDefinition:
    """Delete old records, except those that Dagster derives the state of dates and checks from."""

    @op(name="purge_storage", description="Deletes old records from Dagster's storage.")
    def purge_storage(context: OpExecutionContext) -> None:
        with dagster_connection(settings) as connection:
            purged = purge(context.instance, connection, datetime.now(UTC))
        context.log.info(
            f"Deleted {purged.runs} runs, {purged.events} events and {purged.check_rows} check"
            " results."
        )

    return one_step_job(
        purge_storage,
        "purge_dagster_storage",
        f"Deletes runs, events and check results older than {RUN_DAYS} days from Dagster's own"
        " storage. The newest result of each date and check stays. Traffic data is not touched.",
        kind="retention",
        max_runtime_seconds=_MAX_RUNTIME_SECONDS,
    )


def retention_schedule(settings: Settings, retention: JobDefinition) -> ScheduleDefinition:
    """Purge Dagster's storage every hour in which a run is old enough."""

    @schedule(
        name="purge_dagster_storage",
        job=retention,
        cron_schedule=RETENTION_CRON,
        default_status=DefaultScheduleStatus.RUNNING,
        description=f"Deletes records older than {RUN_DAYS} days from Dagster's own storage.",
    )
    def purge_dagster_storage(_context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        with dagster_connection(settings) as connection:
            if not expendable_runs(connection, datetime.now(UTC)):
                return SkipReason(f"No run older than {RUN_DAYS} days can be deleted.")
        return RunRequest()

    return purge_dagster_storage
