"""What runs by the clock. Each looks first whether there is anything to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from dagster import (
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

from traffic_platform.orchestration.housekeeping import dagster_connection
from traffic_platform.orchestration.retention import RUN_DAYS, expendable_runs
from traffic_platform.settings import Settings

# A quarter of an hour behind is soon enough for what only a defect or a lost topic can cause, and
# a run of the checks writes 22 kB.
CHECKS_CRON = "*/15 * * * *"
# Off the quarter, so that the two do not start together.
RETENTION_CRON = "7 * * * *"


def checks_schedule(settings: Settings, checks: UnresolvedAssetJobDefinition) -> ScheduleDefinition:
    """The checks, when the ledger has moved since they last ran."""

    @schedule(
        name="event_table_checks",
        job=checks,
        cron_schedule=CHECKS_CRON,
        default_status=DefaultScheduleStatus.RUNNING,
        description="Runs the checks of the event tables when data arrived since the last time.",
    )
    def event_table_checks(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        moved = _ledger_moved_at(settings)
        if isinstance(moved, SkipReason):
            return moved
        records = context.instance.get_run_records(RunsFilter(job_name=checks.name), limit=1)
        if records and records[0].create_timestamp.replace(tzinfo=UTC) > moved:
            return SkipReason(f"Nothing has arrived since {moved:%Y-%m-%d %H:%M:%S} UTC.")
        return RunRequest()

    return event_table_checks


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


def _ledger_moved_at(settings: Settings) -> datetime | SkipReason:
    """When the ledger last moved, or why that is not known."""
    from traffic_platform.ingest.connections import connect

    try:
        url = settings.endpoints().read_url
        with connect(url, application_name="traffic-checks", autocommit=True) as connection:
            row: Any = connection.execute(
                "select max(updated_at) from traffic.kafka_offsets"
            ).fetchone()
    except psycopg.OperationalError as error:
        return SkipReason(f"PostgreSQL is away: {error}")
    return row[0] if row and row[0] else SkipReason("Nothing has arrived yet.")
