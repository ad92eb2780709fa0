"""The three tables of events, moved together by windows."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    BetaWarning,
    CodeReferencesMetadataValue,
    Config,
    LocalFileCodeReference,
    MaterializeResult,
    multi_asset,
)
from pydantic import Field

from traffic_platform.orchestration.asset_log import AssetLog
from traffic_platform.orchestration.backfill.backfill_job import backfill_events
from traffic_platform.orchestration.ingest.materializations import (
    ingest_materializations,
    rollup_materializations,
)
from traffic_platform.orchestration.instance.interrupts import deferred_interrupts
from traffic_platform.orchestration.keys import (
    EVENT_TABLES_GROUP,
    OWNER,
    PROCESSED_EVENTS,
    RAW_EVENTS,
    RAW_TOPIC,
    TRAFFIC_READINGS,
)
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.orchestration.table_columns import column_lineage, table_schema
from traffic_platform.postgres.catalogue import load_catalogue
from traffic_platform.settings import Settings
from traffic_platform.statements import sql_folder

WINDOW_OP = "event_tables"  # the job that runs it is `ingest_events`

# Asset events of a window are logged soon after its first batch, then this often, and at its end.
REPORT_SECONDS = 600.0

# table: the asset before it, and the statements that write it
_TABLES: dict[AssetKey, tuple[AssetKey, tuple[str, ...]]] = {
    RAW_EVENTS: (RAW_TOPIC, ("event_tables/copy_raw",)),
    PROCESSED_EVENTS: (RAW_EVENTS, ("event_tables/copy_processed",)),
    TRAFFIC_READINGS: (
        PROCESSED_EVENTS,
        (
            "event_tables/create_incoming",
            "event_tables/copy_incoming",
            "event_tables/upsert_readings",
        ),
    ),
}


class IngestConfig(Config):
    """Which partitions a window drains: those p with p % writers == writer."""

    writer: int = Field(default=0, ge=0, description="Index of the writer.")
    writers: int = Field(default=1, ge=1, description="Number of writers.")


def event_tables(settings: Settings) -> AssetsDefinition:
    """raw_events, processed_events and traffic_readings as one step.

    One transaction writes all three, so a window moves all three whatever is selected. Asked for
    no date, the step drains a window and logs the dates that it touched; asked for dates, it makes
    the selected tables of these again.
    """

    @multi_asset(
        name=WINDOW_OP,
        description="Drains a window: Kafka to the three tables, exactly once.",
        specs=table_specs(),
        can_subset=True,
        partitions_def=event_dates(settings),
        backfill_policy=BackfillPolicy.single_run(),
    )
    def move_events(
        context: AssetExecutionContext, config: IngestConfig
    ) -> Iterator[MaterializeResult[Any]]:
        if context.has_partition_key or context.has_partition_key_range:
            yield from backfill_events(context, settings)
            return
        _drain(context, settings, config)
        # Outputs are skipped: what was moved is already logged, per event date.
        yield from ()

    return move_events


def table_specs() -> list[AssetSpec]:
    """The specs of the three tables, with schema, lineage and links to their SQL."""
    catalogue = load_catalogue()
    return [
        AssetSpec(
            key=key,
            deps=[before],
            description=catalogue[key.path[-1]].description,
            skippable=True,
            group_name=EVENT_TABLES_GROUP,
            kinds={"postgres", "table"},
            owners=[OWNER],
            tags={"layer": key.path[-1].partition("_")[0]},
            metadata={
                "dagster/table_name": f"traffic.{key.path[-1]}",
                "dagster/column_schema": table_schema(key, catalogue[key.path[-1]]),
                "dagster/column_lineage": column_lineage(key),
                **sql_links(statements),
            },
        )
        for key, (before, statements) in _TABLES.items()
    ]


def sql_links(statements: Sequence[str]) -> dict[str, Any]:
    """Metadata that leads to the SQL files behind an asset or a check."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)
        references = CodeReferencesMetadataValue(
            code_references=[
                LocalFileCodeReference(
                    file_path=str(sql_folder() / f"{name}.sql"), line_number=1, label=name
                )
                for name in statements
            ]
        )
    return {
        "sql": ", ".join(f"sql/{name}.sql" for name in statements),
        "dagster/code_references": references,
    }


def _drain(context: AssetExecutionContext, settings: Settings, config: IngestConfig) -> None:
    # Not needed by the code server: it names windows, it does not run them.
    from traffic_platform.ingest.drain import RunLimits, run_ingest
    from traffic_platform.rollups import BackgroundRollups

    log = AssetLog(context)
    with deferred_interrupts(context) as stop:
        with BackgroundRollups(settings) as folds:
            totals = run_ingest(
                settings,
                settings.ingest_topics,
                limits=RunLimits(settings.ingest_run_seconds, settings.ingest_run_idle_seconds),
                run_id=context.run_id,
                writer=config.writer,
                writers=config.writers,
                stop=stop,
                report=lambda done: log.add(
                    [
                        *ingest_materializations(done, context.run_id),
                        *rollup_materializations(folds.take()),
                    ]
                ),
                report_seconds=REPORT_SECONDS,
                stored=folds.stored,
            )
            if stop():
                folds.hurry()
        log.add(rollup_materializations(folds.take()))
        log.finish(hurry=stop())
    context.log.info(
        f"{totals.delivered} messages in {totals.batches} micro-batches: {totals.inserted} "
        f"readings inserted, {totals.updated} updated, {totals.unchanged} unchanged, "
        f"{totals.quarantined} quarantined; {totals.lag} behind."
    )
