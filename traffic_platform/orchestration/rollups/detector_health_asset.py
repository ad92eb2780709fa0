"""Detector health as an asset, computed for whole dates and apart from ingest."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSelection,
    BackfillPolicy,
    MetadataValue,
    asset,
    define_asset_job,
    in_process_executor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from traffic_platform.orchestration.checks.asset_checks import blocking_checks
from traffic_platform.orchestration.keys import (
    DERIVED_GROUP,
    DETECTOR_HEALTH,
    OWNER,
    TRAFFIC_READINGS,
)
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.orchestration.table_metadata import table_metadata
from traffic_platform.orchestration.tags import housekeeping_tags
from traffic_platform.postgres.catalogue import load_catalogue
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from traffic_platform.detector_health.daily_health import DayHealth

HEALTH_JOB: Final = "diagnose_detectors"
# A day of a million readings takes seconds, but a run may cover a year.
_MAX_RUNTIME_SECONDS = 3600
# Broken detectors in a date's metadata; the table holds all of them.
_MOST_LISTED = 12


def detector_health(settings: Settings) -> AssetsDefinition:
    """Return `traffic.detector_health`, computed for the dates of the run."""
    table = load_catalogue()[DETECTOR_HEALTH.path[-1]]

    @asset(
        key=DETECTOR_HEALTH,
        deps=[TRAFFIC_READINGS],
        description=table.description,
        group_name=DERIVED_GROUP,
        kinds={"postgres", "table"},
        owners=[OWNER],
        tags={"layer": "derived"},
        partitions_def=event_dates(settings),
        backfill_policy=BackfillPolicy.single_run(),
        metadata=table_metadata(DETECTOR_HEALTH, table, ["detector_health/sensor_days"]),
    )
    def diagnose_sensors(context: AssetExecutionContext) -> None:
        # Imported here because the code server only defines runs.
        from traffic_platform.detector_health.daily_health import compute_health

        for key in context.partition_keys:
            health = compute_health(settings, date.fromisoformat(key))
            # Each date of a range has its own figures.
            context.add_asset_metadata(health_metadata(health), partition_key=key)
            context.log.info(f"{key}: {_summary(health)}")

    return diagnose_sensors


def health_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """Return the job that diagnoses a date if the blocking checks of its readings pass."""
    return define_asset_job(
        name=HEALTH_JOB,
        selection=AssetSelection.assets(DETECTOR_HEALTH).without_checks() | blocking_checks(),
        partitions_def=event_dates(settings),
        executor_def=in_process_executor,
        tags=housekeeping_tags("health", _MAX_RUNTIME_SECONDS),
        description=(
            "Diagnoses every detector for the chosen dates. If a blocking check of the readings"
            " fails, the run fails and diagnoses nothing: follow that check's runbook, then run it"
            " again."
        ),
    )


def health_metadata(health: "DayHealth") -> Mapping[str, Any]:
    """Return the figures of a date: sensors by diagnosis, and the broken ones with findings."""
    broken = [row for row in health.rows if row.diagnosis not in ("good", "not_evaluated")]
    metadata: dict[str, Any] = {
        "sensors": len(health.rows),
        **{str(name): count for name, count in sorted(health.counts.items())},
    }
    if health.good_percent is not None:
        metadata["good (percent of evaluated)"] = round(health.good_percent, 1)
    if broken:
        lines = [
            f"| {_cell(health.names[row.sensor_id])} | {row.diagnosis} | {_cell(row.seen)} |"
            for row in broken[:_MOST_LISTED]
        ]
        listed = "\n".join(["| sensor | diagnosis | seen |", "|---|---|---|", *lines])
        metadata["broken"] = MetadataValue.md(listed)
    return metadata


def _summary(health: "DayHealth") -> str:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(health.counts.items()))
    return f"{len(health.rows)} sensors{f': {counts}' if counts else ''}."


def _cell(text: str) -> str:
    """Escape text from a feed for a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())
