"""Nightly schedules of the derived tables: roll-ups first, then detector health."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dagster import (
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from traffic_platform.orchestration.changed_dates import (
    NO_DATA,
    late_dates,
    ledger_advanced_at,
    query_database,
)
from traffic_platform.orchestration.rollups.rollup_assets import rollups_config
from traffic_platform.settings import Settings

# Before the detectors are diagnosed and the date is checked.
ROLLUPS_CRON: Final = "50 3 * * *"
# In the platform's zone: late enough for data that was late for the day, early enough for those
# who drive out in the morning, and at a time that no zone skips when its clocks change.
HEALTH_CRON: Final = "20 4 * * *"
# The days before yesterday are diagnosed again, because later data heals them.
HEALTH_DAYS: Final = 3


def rollups_schedule(
    settings: Settings, rollups: UnresolvedAssetJobDefinition
) -> ScheduleDefinition:
    """Compute yesterday's roll-ups, and roll up what late data has made dirty on earlier dates."""

    @schedule(
        name="readings_rollups",
        job=rollups,
        cron_schedule=ROLLUPS_CRON,
        execution_timezone=settings.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=(
            "Infers the intervals and free-flow speeds that no imported list gives, rolls up the"
            " buckets of late data, and computes yesterday's roll-ups."
        ),
    )
    def readings_rollups(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        at = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone))
        day = at.date() - timedelta(days=1)
        advanced_at = query_database(settings, ledger_advanced_at)
        if isinstance(advanced_at, SkipReason):
            return advanced_at
        if not advanced_at:
            return SkipReason(NO_DATA)
        if day < settings.first_date:
            return SkipReason(f"No day since TRAFFIC_FIRST_DATE, {settings.first_date}, is over.")
        return RunRequest(partition_key=day.isoformat(), run_config=rollups_config(catch_up=True))

    return readings_rollups


def health_schedule(settings: Settings, health: UnresolvedAssetJobDefinition) -> ScheduleDefinition:
    """Diagnose the last days that are over, and earlier dates that received data since."""

    @schedule(
        name="detector_health",
        job=health,
        cron_schedule=HEALTH_CRON,
        execution_timezone=settings.timezone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=(
            f"Diagnoses the detectors of the last {HEALTH_DAYS} days, and of earlier dates that"
            " received data after their diagnosis. One run per date."
        ),
    )
    def detector_health(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
        at = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone))
        today = at.date()
        first = max(settings.first_date, today - timedelta(days=HEALTH_DAYS))
        advanced_at = query_database(settings, ledger_advanced_at)
        if isinstance(advanced_at, SkipReason):
            return advanced_at
        if not advanced_at:
            return SkipReason(NO_DATA)
        if first >= today:
            return SkipReason(f"No day since TRAFFIC_FIRST_DATE, {first}, is over.")
        late = query_database(settings, lambda connection: late_dates(connection, settings, first))
        if isinstance(late, SkipReason):
            return late
        newest = [today - timedelta(days=back) for back in range(1, (today - first).days + 1)]
        # One run per date: if the readings of one date fail a blocking check, the other dates are
        # still diagnosed. Dagster requires a key when a schedule requests several runs.
        return [
            RunRequest(run_key=f"{at.isoformat()}/{day}", partition_key=day.isoformat())
            for day in (*newest, *late)
        ]

    return detector_health
