"""Roll-ups as assets: windows log what they fold, and dates can be computed again."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSelection,
    AssetSpec,
    BackfillPolicy,
    Config,
    Failure,
    MaterializeResult,
    define_asset_job,
    in_process_executor,
    multi_asset,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import Field

from traffic_platform.orchestration.ingest.event_tables_asset import sql_links
from traffic_platform.orchestration.ingest.materializations import (
    rollup_materializations,
    table_changes,
)
from traffic_platform.orchestration.keys import (
    DERIVED_GROUP,
    OWNER,
    READINGS_5MIN,
    READINGS_DAILY,
    READINGS_HOURLY,
    TRAFFIC_READINGS,
)
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.orchestration.table_columns import column_lineage, table_schema
from traffic_platform.orchestration.tags import housekeeping_tags
from traffic_platform.postgres.catalogue import load_catalogue
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from traffic_platform.rollups import RollupResult

ROLLUPS_OP: Final = "roll_ups"
ROLLUPS_JOB: Final = "roll_up_readings"
# A day of two million readings takes half a minute; somebody may ask for a year at once.
_MAX_RUNTIME_SECONDS = 4 * 3600

# table: the assets before it, and the statement that computes it
_TABLES: dict[AssetKey, tuple[tuple[AssetKey, ...], str]] = {
    READINGS_5MIN: ((TRAFFIC_READINGS,), "rollups/roll_up_5min"),
    READINGS_HOURLY: ((READINGS_5MIN,), "rollups/roll_up_hourly"),
    READINGS_DAILY: ((READINGS_5MIN, READINGS_HOURLY), "rollups/roll_up_daily"),
}


class RollupsConfig(Config):
    """What to do beside computing the dates again."""

    upkeep: bool = Field(
        default=False,
        description="Whether to infer intervals and free-flow speeds, and to fold what is dirty.",
    )


def rollups_config(*, upkeep: bool) -> dict[str, Any]:
    """The configuration of a run."""
    return {"ops": {ROLLUPS_OP: {"config": {"upkeep": upkeep}}}}


def rollup_tables(settings: Settings) -> AssetsDefinition:
    """readings_5min, readings_hourly and readings_daily, for the dates that are asked for."""

    @multi_asset(
        name=ROLLUPS_OP,
        description="Computes the chosen tables of the chosen dates again, from the readings.",
        specs=rollup_specs(),
        can_subset=True,
        partitions_def=event_dates(settings),
        backfill_policy=BackfillPolicy.single_run(),
    )
    def roll_up(
        context: AssetExecutionContext, config: RollupsConfig
    ) -> Iterator[MaterializeResult[Any]]:
        if not (context.has_partition_key or context.has_partition_key_range):
            raise Failure("Roll-ups are of a date: choose one, or several.", allow_retries=False)
        if config.upkeep:
            _keep_up(context, settings)
        selected = [key for key in _TABLES if key in context.selected_asset_keys]
        _recompute(context, settings, selected)
        for key in selected:
            yield MaterializeResult(asset_key=key)

    return roll_up


def rollup_specs() -> list[AssetSpec]:
    """The specs of the three tables, with schema, lineage and links to their SQL."""
    catalogue = load_catalogue()
    return [
        AssetSpec(
            key=key,
            deps=before,
            description=catalogue[key.path[-1]].description,
            skippable=True,
            group_name=DERIVED_GROUP,
            kinds={"postgres", "table"},
            owners=[OWNER],
            tags={"layer": "derived"},
            metadata={
                "dagster/table_name": f"traffic.{key.path[-1]}",
                "dagster/column_schema": table_schema(key, catalogue[key.path[-1]]),
                "dagster/column_lineage": column_lineage(key),
                **sql_links([name]),
            },
        )
        for key, (before, name) in _TABLES.items()
    ]


def rollups_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """The roll-ups, and nothing else."""
    return define_asset_job(
        name=ROLLUPS_JOB,
        selection=AssetSelection.assets(*_TABLES).without_checks(),
        partitions_def=event_dates(settings),
        executor_def=in_process_executor,
        tags=housekeeping_tags("rollups", _MAX_RUNTIME_SECONDS),
        description="Computes roll-ups again, for the dates that are asked for.",
    )


def _keep_up(context: AssetExecutionContext, settings: Settings) -> None:
    # Not needed by the code server: it names runs, it does not run them.
    from traffic_platform.rollups import infer, roll_up_all
    from traffic_platform.rollups.beside_ingest import open_connection

    with open_connection(settings) as connection:
        inferred = infer(connection)
    folded = roll_up_all(settings)
    for event in rollup_materializations(folded):
        context.log_event(event)
    context.log.info(
        f"{inferred.intervals} intervals and {inferred.free_flow_speeds} free-flow speeds inferred;"
        f" {folded.buckets} buckets folded."
    )


def _recompute(
    context: AssetExecutionContext, settings: Settings, selected: list[AssetKey]
) -> None:
    from traffic_platform.rollups import recompute
    from traffic_platform.rollups.beside_ingest import open_connection

    names = {key: key.path[-1] for key in selected}
    with open_connection(settings) as connection:
        for partition in context.partition_keys:
            day = date.fromisoformat(partition)
            folded = recompute(connection, [day], tuple(names.values()))
            for key, table in names.items():
                # Of a run for several dates each has its own figures.
                context.add_asset_metadata(
                    table_changes(folded.of(table, day)), asset_key=key, partition_key=partition
                )
            context.log.info(f"{partition}: {_summary(folded, names.values())}")


def _summary(folded: "RollupResult", tables: Iterable[str]) -> str:
    parts: list[str] = []
    for table in tables:
        changes = folded.total(table)
        parts.append(
            f"{table}: {changes.added} added, {changes.changed} changed, {changes.removed} removed"
        )
    return f"{'; '.join(parts)}."
