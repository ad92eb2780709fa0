"""Detector health as an asset: computed for dates, once they are over, apart from ingest."""

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

from traffic_platform.orchestration.checks.asset_checks import readings_gate
from traffic_platform.orchestration.ingest.event_tables_asset import sql_links
from traffic_platform.orchestration.keys import (
    DERIVED_GROUP,
    DETECTOR_HEALTH,
    OWNER,
    TRAFFIC_READINGS,
)
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.orchestration.table_columns import column_lineage, table_schema
from traffic_platform.orchestration.tags import housekeeping_tags
from traffic_platform.postgres.catalogue import load_catalogue
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from traffic_platform.detector_health.daily_health import DayHealth

HEALTH_JOB: Final = "diagnose_detectors"
# A day of a million readings takes seconds; somebody may ask for a year at once.
_MAX_RUNTIME_SECONDS = 3600
# Broken detectors are listed in a date's metadata up to this many; the table holds all.
_MOST_LISTED = 12


def detector_health(settings: Settings) -> AssetsDefinition:
    """`traffic.detector_health`, for the dates that are asked for."""
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
        metadata={
            "dagster/table_name": f"traffic.{table.name}",
            "dagster/column_schema": table_schema(DETECTOR_HEALTH, table),
            "dagster/column_lineage": column_lineage(DETECTOR_HEALTH),
            **sql_links(["detector_health/sensor_days"]),
        },
    )
    def diagnose_sensors(context: AssetExecutionContext) -> None:
        # Not needed by the code server: it names runs, it does not run them.
        from traffic_platform.detector_health.daily_health import compute_health

        for key in context.partition_keys:
            health = compute_health(settings, date.fromisoformat(key))
            # Of a run for several dates each has its own figures.
            context.add_asset_metadata(health_metadata(health), partition_key=key)
            context.log.info(f"{key}: {_summary(health)}")

    return diagnose_sensors


def health_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """Detector health, behind the checks that stop it where readings cannot be trusted."""
    return define_asset_job(
        name=HEALTH_JOB,
        selection=AssetSelection.assets(DETECTOR_HEALTH).without_checks() | readings_gate(),
        partitions_def=event_dates(settings),
        executor_def=in_process_executor,
        tags=housekeeping_tags("health", _MAX_RUNTIME_SECONDS),
        description=(
            "Diagnoses every detector, for the dates that are asked for, unless a blocking check of"
            " their readings fails."
        ),
    )


def health_metadata(health: "DayHealth") -> Mapping[str, Any]:
    """Figures of a date: sensors by diagnosis, and the broken ones with what was seen."""
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
    """Text of a feed inside a table of Markdown."""
    return " ".join(text.replace("|", "\\|").split())
