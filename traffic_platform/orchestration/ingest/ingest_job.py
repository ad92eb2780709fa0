"""What can be run by name."""

from __future__ import annotations

from typing import Final

from dagster import AssetSelection, define_asset_job, in_process_executor
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from traffic_platform.orchestration.keys import PROCESSED_EVENTS, RAW_EVENTS, TRAFFIC_READINGS
from traffic_platform.orchestration.tags import ingest_tags
from traffic_platform.settings import Settings

INGEST_JOB: Final = "ingest_events"


def ingest_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """One window: drain Kafka into the three tables until its limits say so.

    In the run's own process: a process for the step would cost another second to start. Without
    checks: they have a job of their own and never stand in the way of the stream.
    """
    tables = AssetSelection.assets(RAW_EVENTS, PROCESSED_EVENTS, TRAFFIC_READINGS)
    return define_asset_job(
        name=INGEST_JOB,
        selection=tables.without_checks(),
        executor_def=in_process_executor,
        tags=ingest_tags(settings),
        description="Drains a window: Kafka to the three tables. The sensor kafka_offsets asks.",
    )
