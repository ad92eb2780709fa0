"""The job of an ingest run."""

from __future__ import annotations

from typing import Final

from dagster import AssetSelection, define_asset_job, in_process_executor
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from traffic_platform.orchestration.keys import EVENT_TABLES
from traffic_platform.orchestration.tags import ingest_tags
from traffic_platform.settings import Settings

INGEST_JOB: Final = "ingest_events"


def ingest_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """Return the job that drains Kafka into the three tables until its limits end it.

    It runs in the run's own process, because a process for the step would take another second to
    start. It runs no checks: they have a job of their own and never delay the stream.
    """
    return define_asset_job(
        name=INGEST_JOB,
        selection=AssetSelection.assets(*EVENT_TABLES).without_checks(),
        executor_def=in_process_executor,
        tags=ingest_tags(settings),
        description=(
            "Drains Kafka into the three event tables, exactly once. The sensor kafka_offsets"
            " starts these runs; you need not. Backfill dates with the job backfill_dates."
        ),
    )
