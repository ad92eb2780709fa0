"""Dagster's definitions, built from the parts in this folder."""

from __future__ import annotations

from dagster import Definitions

from traffic_platform.orchestration.alerts.alert_sensors import alert_sensors
from traffic_platform.orchestration.backfill.backfill_job import backfill_job
from traffic_platform.orchestration.checks.asset_checks import checks_step
from traffic_platform.orchestration.checks.check_schedules import (
    checks_schedule,
    closed_date_schedule,
)
from traffic_platform.orchestration.checks.checks_job import checks_job
from traffic_platform.orchestration.ingest.event_tables_asset import event_tables
from traffic_platform.orchestration.ingest.ingest_job import ingest_job
from traffic_platform.orchestration.ingest.offset_sensor import offset_sensor
from traffic_platform.orchestration.ingest.topics import topic_specs
from traffic_platform.orchestration.maintenance.retention_job import (
    retention_job,
    retention_schedule,
)
from traffic_platform.orchestration.maintenance.table_maintenance import (
    maintenance_job,
    maintenance_schedule,
)
from traffic_platform.orchestration.publish.clean_stream_asset import clean_stream, publish_job
from traffic_platform.orchestration.rollups.detector_health_asset import detector_health, health_job
from traffic_platform.orchestration.rollups.nightly_schedules import (
    health_schedule,
    rollups_schedule,
)
from traffic_platform.orchestration.rollups.rollup_assets import rollup_tables, rollups_job
from traffic_platform.quality.check import Scope
from traffic_platform.settings import Settings


def build_definitions(settings: Settings) -> Definitions:
    """Return everything that Dagster shows and runs with these settings."""
    streams = [clean_stream(settings)] if settings.publish else []
    publishers = [publish_job(settings)] if settings.publish else []
    ingest, checks, retention = ingest_job(settings), checks_job(settings), retention_job(settings)
    health, rollups = health_job(settings), rollups_job(settings)
    backfill, maintenance = backfill_job(settings), maintenance_job(settings)
    jobs = [ingest, *publishers, checks, health, rollups, backfill, retention, maintenance]
    return Definitions(
        assets=[
            *topic_specs(settings),
            event_tables(settings),
            *streams,
            detector_health(settings),
            rollup_tables(settings),
        ],
        asset_checks=[checks_step(settings, scope) for scope in Scope],
        jobs=jobs,
        sensors=[
            offset_sensor(settings, [ingest, *publishers]),
            *alert_sensors(settings, [job.name for job in jobs]),
        ],
        schedules=[
            checks_schedule(settings, checks),
            closed_date_schedule(settings, checks),
            health_schedule(settings, health),
            rollups_schedule(settings, rollups),
            retention_schedule(settings, retention),
            maintenance_schedule(settings, maintenance),
        ],
    )
