"""Roll-ups in Dagster, on real servers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from dagster import (
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    ExecuteInProcessResult,
    Failure,
    RunRequest,
    SkipReason,
    build_schedule_context,
)

from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.keys import READINGS_5MIN, READINGS_DAILY, READINGS_HOURLY
from traffic_platform.orchestration.rollups.rollup_assets import ROLLUPS_JOB
from traffic_platform.settings import Settings
from traffic_platform_tests.orchestration.feed import flat
from traffic_platform_tests.rollups.readings import add_readings, add_sensor, every
from traffic_platform_tests.rollups.rolled import deliver, everything

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
SATURDAY, SUNDAY = "2025-10-04", "2025-10-05"
ROLLUPS = (READINGS_5MIN, READINGS_HOURLY, READINGS_DAILY)
FIGURES = ("rows added", "rows changed", "rows removed")


@pytest.fixture
def stocked(platform: Settings) -> Settings:
    """Two days of a sensor that are not rolled up yet."""
    with psycopg.connect(platform.endpoints().owner_url, autocommit=True) as owner:
        add_sensor(owner, "a", interval_s=300)
        add_readings(owner, "a", every(300, NOON, 24))
        add_readings(owner, "a", every(300, NOON + timedelta(days=1), 12))
    return platform


def execute(
    settings: Settings, instance: DagsterInstance, job: str = ROLLUPS_JOB, **options: Any
) -> ExecuteInProcessResult:
    """A run of a job, in this process."""
    definitions = build_definitions(settings)
    return definitions.resolve_job_def(job).execute_in_process(instance=instance, **options)


def figures(
    instance: DagsterInstance, run_id: str, key: AssetKey
) -> dict[str | None, tuple[object, ...]]:
    """Rows that a run added, changed and removed, by date."""
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    events = [record.event_log_entry.asset_materialization for record in records.records]
    return {
        event.partition: tuple(event.metadata[name].value for name in FIGURES)
        for event in events
        if event is not None and event.asset_key == key
    }


def tick(settings: Settings, instance: DagsterInstance) -> RunRequest | SkipReason:
    """The request of the schedule on the Monday."""
    repository = build_definitions(settings).get_repository_def()
    context = build_schedule_context(
        instance,
        scheduled_execution_time=datetime(2025, 10, 6, 3, 50, tzinfo=UTC),
        repository_def=repository,
    )
    answer = repository.get_schedule_def("readings_rollups").evaluate_tick(context)
    return answer.run_requests[0] if answer.run_requests else SkipReason(answer.skip_message)


def test_a_run_computes_its_dates_and_reports_figures_for_each(
    stocked: Settings, instance: DagsterInstance
) -> None:
    result = execute(stocked, instance, partition_key=SATURDAY)
    assert result.success
    assert figures(instance, result.run_id, READINGS_5MIN) == {SATURDAY: (24, 0, 0)}
    assert figures(instance, result.run_id, READINGS_HOURLY) == {SATURDAY: (2, 0, 0)}
    assert figures(instance, result.run_id, READINGS_DAILY) == {SATURDAY: (1, 0, 0)}
    with psycopg.connect(stocked.endpoints().owner_url, autocommit=True) as owner:
        owner.execute(
            'delete from traffic.traffic_readings where "timestamp" = %s',
            (NOON + timedelta(minutes=5),),
        )
    tags = {
        "dagster/asset_partition_range_start": SATURDAY,
        "dagster/asset_partition_range_end": SUNDAY,
    }
    result = execute(stocked, instance, tags=tags)
    assert figures(instance, result.run_id, READINGS_5MIN) == {
        SATURDAY: (0, 0, 1),
        SUNDAY: (12, 0, 0),
    }
    assert figures(instance, result.run_id, READINGS_DAILY) == {
        SATURDAY: (0, 1, 0),
        SUNDAY: (1, 0, 0),
    }
    assert instance.get_materialized_partitions(READINGS_DAILY) == {SATURDAY, SUNDAY}


def test_a_run_may_compute_some_of_the_tables(stocked: Settings, instance: DagsterInstance) -> None:
    result = execute(stocked, instance, partition_key=SATURDAY, asset_selection=[READINGS_5MIN])
    assert result.success
    with psycopg.connect(stocked.endpoints().read_url) as reader:
        assert [len(rows) for rows in everything(reader).values()] == [24, 0, 0]


def test_a_run_without_a_date_fails(stocked: Settings, instance: DagsterInstance) -> None:
    with pytest.raises(Failure, match="need a date"):
        execute(stocked, instance)


def test_an_ingest_run_logs_its_roll_ups_by_date(
    platform: Settings,
    instance: DagsterInstance,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    make_topic()
    produce([flat("a"), flat("a", 1), flat("b"), flat("a", days=1), flat("b", days=1)])
    result = execute(platform, instance, INGEST_JOB)
    assert result.success
    assert set(figures(instance, result.run_id, READINGS_5MIN)) == {SATURDAY, SUNDAY}
    for key in ROLLUPS:
        assert instance.get_materialized_partitions(key) == {SATURDAY, SUNDAY}
    with psycopg.connect(platform.endpoints().read_url) as reader:
        assert [len(rows) for rows in everything(reader).values()] == [4, 4, 4]


def test_the_schedule_infers_rolls_up_late_data_and_computes_yesterday(
    stocked: Settings, instance: DagsterInstance
) -> None:
    assert isinstance(tick(stocked, instance), SkipReason)
    with psycopg.connect(stocked.endpoints().owner_url, autocommit=True) as owner:
        add_sensor(owner, "late", origin="seen")
        deliver(owner, "late", every(60, NOON - timedelta(days=3), 10))
        _advance_the_ledger(owner)
    request = tick(stocked, instance)
    assert isinstance(request, RunRequest)
    result = execute(stocked, instance, tags=request.tags, run_config=request.run_config)
    assert result.success
    assert figures(instance, result.run_id, READINGS_5MIN) == {
        "2025-10-01": (2, 0, 0),
        SUNDAY: (12, 0, 0),
    }
    with psycopg.connect(stocked.endpoints().read_url) as reader:
        row = reader.execute(
            "select inferred_interval_s from traffic.sensors where external_id = 'late'"
        ).fetchone()
    assert row == (60,)


def _advance_the_ledger(owner: psycopg.Connection) -> None:
    owner.execute(
        "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('raw', 'id', 'c')"
    )
    owner.execute(
        "insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset, next_offset)"
        " values (1, 0, 'raw', 0, 30)"
    )
