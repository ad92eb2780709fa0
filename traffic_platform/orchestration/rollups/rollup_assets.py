"""Roll-ups as assets: ingest runs log what they roll up, and dates can be recomputed."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterable, Iterator, Sequence
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

from traffic_platform.orchestration.ingest.materializations import (
    rollup_materializations,
    table_changes,
)
from traffic_platform.orchestration.keys import (
    DERIVED_GROUP,
    READINGS_5MIN,
    READINGS_DAILY,
    READINGS_HOURLY,
    TRAFFIC_READINGS,
)
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.orchestration.table_metadata import table_specs
from traffic_platform.orchestration.tags import housekeeping_tags
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from traffic_platform.rollups import RollupResult

ROLLUPS_OP: Final = "roll_ups"
ROLLUPS_JOB: Final = "roll_up_readings"
# A day of two million readings takes half a minute, but a run may cover a year.
_MAX_RUNTIME_SECONDS = 4 * 3600

# By table, its upstream assets and the statement that computes it.
_TABLES: dict[AssetKey, tuple[Sequence[AssetKey], Sequence[str]]] = {
    READINGS_5MIN: ([TRAFFIC_READINGS], ["rollups/roll_up_5min"]),
    READINGS_HOURLY: ([READINGS_5MIN], ["rollups/roll_up_hourly"]),
    READINGS_DAILY: ([READINGS_5MIN, READINGS_HOURLY], ["rollups/roll_up_daily"]),
}


class RollupsConfig(Config):
    """Work in addition to the dates of the run."""

    catch_up: bool = Field(
        default=False,
        description=(
            "Also infer intervals and free-flow speeds, and roll up the dirty buckets of any date."
        ),
    )


def rollups_config(*, catch_up: bool) -> dict[str, Any]:
    """Return the configuration of a run."""
    return {"ops": {ROLLUPS_OP: {"config": {"catch_up": catch_up}}}}


def rollup_tables(settings: Settings) -> AssetsDefinition:
    """Return readings_5min, readings_hourly and readings_daily as one step."""

    @multi_asset(
        name=ROLLUPS_OP,
        description="Recomputes the chosen roll-ups of the chosen dates from the readings.",
        specs=rollup_specs(),
        can_subset=True,
        partitions_def=event_dates(settings),
        backfill_policy=BackfillPolicy.single_run(),
    )
    def roll_up(
        context: AssetExecutionContext, config: RollupsConfig
    ) -> Iterator[MaterializeResult[Any]]:
        if not (context.has_partition_key or context.has_partition_key_range):
            raise Failure("Roll-ups need a date. Choose one or several dates.", allow_retries=False)
        if config.catch_up:
            _catch_up(context, settings)
        selected = [key for key in _TABLES if key in context.selected_asset_keys]
        _recompute(context, settings, selected)
        for key in selected:
            yield MaterializeResult(asset_key=key)

    return roll_up


def rollup_specs() -> list[AssetSpec]:
    """Return the specs of the three tables, with schema, lineage and links to their SQL."""
    return table_specs(_TABLES, group=DERIVED_GROUP, layer="derived")


def rollups_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """Return the job that computes the roll-ups alone."""
    return define_asset_job(
        name=ROLLUPS_JOB,
        selection=AssetSelection.assets(*_TABLES).without_checks(),
        partitions_def=event_dates(settings),
        executor_def=in_process_executor,
        tags=housekeeping_tags("rollups", _MAX_RUNTIME_SECONDS),
        description=(
            "Recomputes the roll-ups of the chosen dates. Ingest runs keep roll-ups current by"
            " themselves; a date needs this only after a change by hand."
        ),
    )


def _catch_up(context: AssetExecutionContext, settings: Settings) -> None:
    # Imported here because the code server only defines runs.
    from traffic_platform.rollups import infer, roll_up_all
    from traffic_platform.rollups.beside_ingest import open_connection

    with open_connection(settings) as connection:
        inferred = infer(connection)
    rolled_up = roll_up_all(settings)
    for event in rollup_materializations(rolled_up):
        context.log_event(event)
    context.log.info(
        f"Inferred {inferred.intervals} intervals and {inferred.free_flow_speeds} free-flow"
        f" speeds. Rolled up {rolled_up.buckets} buckets."
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
            result = recompute(connection, [day], tuple(names.values()))
            for key, table in names.items():
                # Each date of a range has its own figures.
                context.add_asset_metadata(
                    table_changes(result.of(table, day)), asset_key=key, partition_key=partition
                )
            context.log.info(f"{partition}: {_summary(result, names.values())}")


def _summary(result: "RollupResult", tables: Iterable[str]) -> str:
    totals = [(table, result.total(table)) for table in tables]
    parts = [
        f"{table}: {changes.added} added, {changes.changed} changed, {changes.removed} removed"
        for table, changes in totals
    ]
    return f"{'; '.join(parts)}."
