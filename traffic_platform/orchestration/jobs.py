"""What can be run by name."""

from __future__ import annotations

from typing import Final

from dagster import (
    AssetChecksDefinition,
    AssetSelection,
    define_asset_job,
    in_process_executor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from traffic_platform.orchestration.keys import PROCESSED_EVENTS, RAW_EVENTS, TRAFFIC_READINGS
from traffic_platform.orchestration.tags import housekeeping_tags, window_tags
from traffic_platform.settings import Settings

WINDOW_JOB: Final = "ingest_window"
CHECKS_JOB: Final = "check_event_tables"
_CHECKS_MAX_RUNTIME_SECONDS = 600


def window_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """One window: drain Kafka into the three tables until its limits say so.

    In the run's own process: a process for the step would cost another second to start. Without
    checks: they have a job of their own and never stand in the way of the stream.
    """
    tables = AssetSelection.assets(RAW_EVENTS, PROCESSED_EVENTS, TRAFFIC_READINGS)
    return define_asset_job(
        name=WINDOW_JOB,
        selection=tables.without_checks(),
        executor_def=in_process_executor,
        tags=window_tags(settings),
        description="Drains a window: Kafka to the three tables. The sensor kafka_offsets asks.",
    )


def checks_job(checks: AssetChecksDefinition) -> UnresolvedAssetJobDefinition:
    """All checks of the event tables, and nothing else."""
    return define_asset_job(
        name=CHECKS_JOB,
        selection=AssetSelection.checks(checks),
        executor_def=in_process_executor,
        tags=housekeeping_tags("checks", _CHECKS_MAX_RUNTIME_SECONDS),
        description="Evaluates the checks of the event tables.",
    )
