"""The clean stream as an asset, and the job that publishes it."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    AssetSelection,
    MaterializeResult,
    MetadataValue,
    define_asset_job,
    in_process_executor,
    multi_asset,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from traffic_platform.orchestration.asset_log import AssetLog
from traffic_platform.orchestration.ingest.event_tables_asset import REPORT_SECONDS
from traffic_platform.orchestration.ingest.topics import events_topic_spec
from traffic_platform.orchestration.instance.interrupts import deferred_interrupts
from traffic_platform.orchestration.instance.run_end import outage_in_one_line
from traffic_platform.orchestration.keys import EVENTS_TOPIC
from traffic_platform.orchestration.tags import PUBLISHER_INGEST_RUNS, publisher_tags
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from traffic_platform.publish.publisher import PublishTotals

PUBLISH_JOB: Final = "publish_events"
PUBLISH_OP: Final = "clean_stream"

# A publisher run lasts for hours, so it reports less often than an ingest run.
_REPORTS_APART = 2

_POSITIONS = """```sql
select * from traffic.publications order by route, topic_no, partition
```"""


def clean_stream(settings: Settings) -> AssetsDefinition:
    """Return `kafka/traffic_events`, which each publisher run materializes."""

    @multi_asset(
        name=PUBLISH_OP,
        description="Publishes the processed events of the raw topic to Kafka, each once.",
        specs=[events_topic_spec(settings)],
        can_subset=False,
    )
    def publish(context: AssetExecutionContext) -> Iterator[MaterializeResult[None]]:
        _publish(context, settings)
        # The output is skipped: the run has logged its materializations already.
        yield from ()

    return publish


def publish_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """Return the job of a publisher run, which ends when it is idle or its time is over."""
    return define_asset_job(
        name=PUBLISH_JOB,
        selection=AssetSelection.assets(EVENTS_TOPIC).without_checks(),
        executor_def=in_process_executor,
        tags=publisher_tags(settings),
        description=(
            "Publishes the clean stream to Kafka. The sensor kafka_offsets starts these runs; you"
            " need not."
        ),
    )


def _publish(context: AssetExecutionContext, settings: Settings) -> None:
    # Imported here because the code server only defines runs.
    from traffic_platform.publish.publisher import run_publisher
    from traffic_platform.run_clock import RunLimits

    log = AssetLog(context)
    limits = RunLimits(
        PUBLISHER_INGEST_RUNS * settings.ingest_run_seconds,
        settings.ingest_run_idle_seconds,
        # A person who materializes the asset waits for its end, and a stream has none.
        until_caught_up=context.job_name != PUBLISH_JOB,
    )
    with outage_in_one_line(), deferred_interrupts(context) as stop:
        totals = run_publisher(
            settings,
            limits=limits,
            run_id=context.run_id,
            stop=stop,
            report=lambda done: log.add([published_materialization(done)]),
            report_seconds=_REPORTS_APART * REPORT_SECONDS,
        )
        log.finish(hurry=stop())
    context.log.info(
        f"Published {totals.events} events, {totals.replays} reprocessed events and"
        f" {totals.quarantined} quarantined messages. Lag: {totals.lag}."
    )


def published_materialization(done: "PublishTotals") -> AssetMaterialization:
    """Return the materialization for the events published since the last report."""
    return AssetMaterialization(
        asset_key=EVENTS_TOPIC,
        metadata={
            "events": done.events,
            "reprocessed events": done.replays,
            "quarantined messages": done.quarantined,
            "lag": done.lag,
            "positions": MetadataValue.md(_POSITIONS),
        },
    )
