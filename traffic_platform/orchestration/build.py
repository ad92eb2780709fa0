"""Puts the parts of this folder together."""

from __future__ import annotations

from dagster import Definitions

from traffic_platform.orchestration.assets import event_tables
from traffic_platform.orchestration.checks import event_table_checks
from traffic_platform.orchestration.housekeeping import retention_job
from traffic_platform.orchestration.jobs import checks_job, window_job
from traffic_platform.orchestration.schedules import checks_schedule, retention_schedule
from traffic_platform.orchestration.sensors import offset_sensor
from traffic_platform.orchestration.topics import topic_specs
from traffic_platform.settings import Settings


def build_definitions(settings: Settings) -> Definitions:
    """Everything that Dagster shows and runs, for these settings."""
    checks = event_table_checks(settings)
    window, check, retention = window_job(settings), checks_job(checks), retention_job(settings)
    return Definitions(
        assets=[*topic_specs(settings), event_tables(settings)],
        asset_checks=[checks],
        jobs=[window, check, retention],
        sensors=[offset_sensor(settings, window)],
        schedules=[checks_schedule(settings, check), retention_schedule(settings, retention)],
    )
