"""The three event tables as one step: an ingest run drains, a run with dates backfills."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterator, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    Config,
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
from traffic_platform.orchestration.instance.run_end import outage_in_one_line
from traffic_platform.orchestration.keys import (
    EVENT_TABLES_GROUP,
    PROCESSED_EVENTS,
    RAW_EVENTS,
    RAW_TOPIC,
    TRAFFIC_READINGS,
)
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.orchestration.table_metadata import table_specs
from traffic_platform.settings import Settings

EVENT_TABLES_OP = "event_tables"

# An ingest run logs asset events soon after its first batch, then this often, and at its end.
REPORT_SECONDS = 600.0

# By table, its upstream asset and the statements that write it.
_TABLES: dict[AssetKey, tuple[Sequence[AssetKey], Sequence[str]]] = {
    RAW_EVENTS: ([RAW_TOPIC], ["event_tables/copy_raw"]),
    PROCESSED_EVENTS: ([RAW_EVENTS], ["event_tables/copy_processed"]),
    TRAFFIC_READINGS: (
        [PROCESSED_EVENTS],
        [
            "event_tables/create_incoming",
            "event_tables/copy_incoming",
            "event_tables/upsert_readings",
        ],
    ),
}


class IngestConfig(Config):
    """The partitions that an ingest run drains: those p with p % writers == writer."""

    writer: int = Field(default=0, ge=0, description="Index of the writer.")
    writers: int = Field(default=1, ge=1, description="Number of writers.")


def event_tables(settings: Settings) -> AssetsDefinition:
    """Return raw_events, processed_events and traffic_readings as one step.

    Without a date the step drains Kafka and logs the dates that it changed. One transaction writes
    all three tables, so it fills all three whatever is selected. With dates it backfills the
    selected tables for these dates.
    """

    @multi_asset(
        name=EVENT_TABLES_OP,
        description=(
            "Without a date: drains Kafka into the three tables, exactly once. With dates:"
            " backfills the selected tables for them."
        ),
        specs=event_table_specs(),
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
        # The outputs are skipped: the run has logged a materialization for each event date.
        yield from ()

    return move_events


def event_table_specs() -> list[AssetSpec]:
    """Return the specs of the three tables, with schema, lineage and links to their SQL."""
    return table_specs(_TABLES, group=EVENT_TABLES_GROUP)


def _drain(context: AssetExecutionContext, settings: Settings, config: IngestConfig) -> None:
    # Imported here because the code server only defines runs.
    from traffic_platform.ingest.drain import RunLimits, run_ingest
    from traffic_platform.rollups import BackgroundRollups

    log = AssetLog(context)
    with outage_in_one_line(), deferred_interrupts(context) as stop:
        with BackgroundRollups(settings) as rollups:
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
                        *rollup_materializations(rollups.take()),
                    ]
                ),
                report_seconds=REPORT_SECONDS,
                stored=rollups.stored,
            )
            if stop():
                rollups.hurry()
        log.add(rollup_materializations(rollups.take()))
        log.finish(hurry=stop())
    context.log.info(
        f"Stored {totals.delivered} messages in {totals.batches} micro-batches. Readings:"
        f" {totals.inserted} inserted, {totals.updated} updated, {totals.unchanged} unchanged."
        f" Superseded events: {totals.superseded}. Quarantined messages: {totals.quarantined}."
        f" Lag: {totals.lag}."
    )
