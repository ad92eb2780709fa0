"""The sensor that compares Kafka's offsets with the ledger and requests runs."""

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
from traffic_platform.orchestration.ingest.event_tables_asset import EVENT_TABLES_OP, IngestConfig
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.ingest_runs import newest_stream_runs
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
    """Return the sensor. It moves no data, commits no offset and keeps no cursor.

    Each poll reads lag, locks and runs again, so a failed tick misses nothing. A run request
    carries no offsets: the ledger says where a run begins.
    """
    watch = OffsetWatch(settings, settings.ingest_topics)

    @sensor(
        name=OFFSET_SENSOR,
        jobs=jobs,
        minimum_interval_seconds=1,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Compares Kafka's offsets with the ledger. While messages flow it keeps one ingest run"
            " draining and one waiting to take over, and it starts the publisher. A tick watches"
            f' for up to {TICK_SECONDS:.0f} s and shows "Evaluating" meanwhile. Then it says how'
            " far ingest is behind. While this sensor is stopped, no new data is ingested."
        ),
    )
    def kafka_offsets(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        outcome = watch.poll_until_demand(
            lambda: newest_stream_runs(context.instance, settings.writers),
            seconds=TICK_SECONDS - TICK_MARGIN_SECONDS,
        )
        requests = run_requests(outcome.demands, settings.writers)
        return SensorResult(run_requests=requests) if requests else SkipReason(explain(outcome))

    return kafka_offsets


def run_requests(demands: Sequence[Demand], writers: int) -> list[RunRequest]:
    """Return a run request for each demand.

    Without a run key: Dagster would suppress all later requests with the key of a failed run.
    """
    return [_request(demand, writers) for demand in demands if demand.ask]


def _request(demand: Demand, writers: int) -> RunRequest:
    reason = {"traffic/reason": demand.reason}
    if demand.writer == PUBLISHER:
        return RunRequest(job_name=PUBLISH_JOB, tags=reason)
    config = IngestConfig(writer=demand.writer, writers=writers)
    return RunRequest(
        job_name=INGEST_JOB,
        run_config=RunConfig(ops={EVENT_TABLES_OP: config}),
        tags={**writer_tags(demand.writer, writers), **reason},
    )
