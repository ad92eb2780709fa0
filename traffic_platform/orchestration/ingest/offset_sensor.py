"""The sensor that compares Kafka's offsets with the ledger and asks for windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dagster import (
    DefaultSensorStatus,
    RunConfig,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from traffic_platform.orchestration.ingest.demand import PUBLISHER, Demand
from traffic_platform.orchestration.ingest.event_tables_asset import WINDOW_OP, IngestConfig
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.ingest_runs import newest_ingest_runs
from traffic_platform.orchestration.ingest.watch import (
    TICK_MARGIN_SECONDS,
    TICK_SECONDS,
    OffsetWatch,
    explain,
)
from traffic_platform.orchestration.publish.clean_stream_asset import PUBLISH_JOB
from traffic_platform.orchestration.tags import writer_tags
from traffic_platform.settings import Settings

OFFSET_SENSOR: Final = "kafka_offsets"


def offset_sensor(
    settings: Settings, jobs: Sequence[UnresolvedAssetJobDefinition]
) -> SensorDefinition:
    """Plans windows and the publisher; moves nothing, commits nothing, keeps no cursor.

    What it knows is read anew in every look (lag, locks, runs), so nothing is skipped when a tick
    fails, and a run request carries no offsets: the ledger says where a window begins.
    """
    watch = OffsetWatch(settings, settings.ingest_topics)

    @sensor(
        name=OFFSET_SENSOR,
        jobs=jobs,
        minimum_interval_seconds=1,
        default_status=DefaultSensorStatus.RUNNING,
        description="Compares Kafka's offsets with the ledger and asks for windows: one that "
        "drains while messages flow, and one that waits to take over. Asks for the publisher, too.",
    )
    def kafka_offsets(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        outcome = watch.look_until_demand(
            lambda: newest_ingest_runs(context.instance, settings.writers),
            seconds=TICK_SECONDS - TICK_MARGIN_SECONDS,
        )
        requests = run_requests(outcome.demands, settings.writers)
        return SensorResult(run_requests=requests) if requests else SkipReason(explain(outcome))

    return kafka_offsets


def run_requests(demands: Sequence[Demand], writers: int) -> list[RunRequest]:
    """A run request for each demand. Without a run key: a failed run must never silence it."""
    return [_request(demand, writers) for demand in demands if demand.ask]


def _request(demand: Demand, writers: int) -> RunRequest:
    reason = {"traffic/reason": demand.reason}
    if demand.writer == PUBLISHER:
        return RunRequest(job_name=PUBLISH_JOB, tags=reason)
    config = IngestConfig(writer=demand.writer, writers=writers)
    return RunRequest(
        job_name=INGEST_JOB,
        run_config=RunConfig(ops={WINDOW_OP: config}),
        tags={**writer_tags(demand.writer, writers), **reason},
    )
