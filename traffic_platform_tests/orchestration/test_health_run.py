"""Detector health in Dagster, on real servers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from dagster import (
    DagsterEventType,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    RunRequest,
    SkipReason,
    build_schedule_context,
)

from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.ingest_runs import newest_stream_runs
from traffic_platform.orchestration.keys import DETECTOR_HEALTH
from traffic_platform.orchestration.rollups.detector_health_asset import HEALTH_JOB
from traffic_platform.settings import Settings
from traffic_platform_tests.orchestration.feed import flat
from traffic_platform_tests.rollups.readings import add_readings, add_sensor, every, health_of

FIVE = datetime(2025, 10, 4, 5, tzinfo=UTC)
SATURDAY, SUNDAY, MONDAY = "2025-10-04", "2025-10-05", "2025-10-06"
TUESDAY_MORNING = datetime(2025, 10, 7, 4, 20, tzinfo=UTC)


@pytest.fixture
def stocked(platform: Settings) -> Settings:
    """Two days of a sensor that is good on one and cut on the other, and a silent one."""
    with psycopg.connect(platform.endpoints().owner_url, autocommit=True) as owner:
        for name in ("a", "silent | broken"):
            add_sensor(owner, name, interval_s=300)
        add_readings(owner, "a", every(300, FIVE, 204))
        add_readings(owner, "a", every(300, FIVE + timedelta(days=1), 50))
    return platform


def execute(
    settings: Settings, instance: DagsterInstance, **options: Any
) -> ExecuteInProcessResult:
    """A run of the job, in this process."""
    job = build_definitions(settings).resolve_job_def(HEALTH_JOB)
    return job.execute_in_process(instance=instance, **options)


def metadata_by_date(instance: DagsterInstance, run_id: str) -> dict[str | None, dict[str, Any]]:
    """The metadata of a run's materializations, by date."""
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    events = [record.event_log_entry.asset_materialization for record in records.records]
    return {
        event.partition: {name: value.value for name, value in event.metadata.items()}
        for event in events
        if event is not None and event.asset_key == DETECTOR_HEALTH
    }


def stored(settings: Settings, day: str) -> dict[str, Any]:
    """Diagnoses of a date."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        return health_of(connection, where=f"date = '{day}'")


def tick(definitions: Definitions, instance: DagsterInstance) -> list[RunRequest] | SkipReason:
    """The requests of the schedule on a Tuesday morning."""
    repository = definitions.get_repository_def()
    context = build_schedule_context(
        instance, scheduled_execution_time=TUESDAY_MORNING, repository_def=repository
    )
    answer = repository.get_schedule_def("detector_health").evaluate_tick(context)
    return list(answer.run_requests or ()) or SkipReason(answer.skip_message)


def asked_dates(requests: list[RunRequest] | SkipReason) -> list[str]:
    """The date of each request."""
    assert isinstance(requests, list)
    return [request.tags["dagster/partition"] for request in requests]


def test_a_run_diagnoses_its_date_and_reports_figures(
    stocked: Settings, instance: DagsterInstance
) -> None:
    result = execute(stocked, instance, partition_key=SATURDAY)
    assert result.success
    assert stored(stocked, SATURDAY) == {"a": "good", "silent | broken": "no_data"}
    assert stored(stocked, SUNDAY) == {}
    [(day, figures)] = metadata_by_date(instance, result.run_id).items()
    assert (day, figures["sensors"], figures["good"], figures["no_data"]) == (SATURDAY, 2, 1, 1)
    assert figures["good (percent of evaluated)"] == 50.0
    assert "| silent \\| broken | no_data | No reading from" in figures["broken"]
    assert instance.get_materialized_partitions(DETECTOR_HEALTH) == {SATURDAY}


def test_the_schedule_diagnoses_the_last_three_days_with_figures_for_each(
    stocked: Settings, instance: DagsterInstance
) -> None:
    execute(stocked, instance, partition_key=SATURDAY)
    with psycopg.connect(stocked.endpoints().owner_url, autocommit=True) as owner:
        _advance_the_ledger(owner)
        late = FIVE + timedelta(days=1, seconds=50 * 300)
        add_readings(owner, "a", every(300, late, 100))
    requests = tick(build_definitions(stocked), instance)
    assert isinstance(requests, list)
    results = [execute(stocked, instance, tags=request.tags) for request in requests]
    assert all(result.success for result in results)
    assert [stored(stocked, day)["a"] for day in (SATURDAY, SUNDAY, MONDAY)] == [
        "good", "good", "no_data"
    ]  # fmt: skip
    figures = [metadata_by_date(instance, result.run_id) for result in results]
    assert {day: values["no_data"] for of_run in figures for day, values in of_run.items()} == {
        SATURDAY: 1, SUNDAY: 1, MONDAY: 2
    }  # fmt: skip


def test_the_schedule_requests_earlier_dates_with_late_data(
    stocked: Settings, instance: DagsterInstance
) -> None:
    repository = build_definitions(stocked).get_repository_def()
    schedule = repository.get_schedule_def("detector_health")
    context = build_schedule_context(
        instance,
        scheduled_execution_time=TUESDAY_MORNING + timedelta(days=7),
        repository_def=repository,
    )

    def asked() -> list[str]:
        return asked_dates(list(schedule.evaluate_tick(context).run_requests or ()))

    newest = ["2025-10-13", "2025-10-12", "2025-10-11"]
    with psycopg.connect(stocked.endpoints().owner_url, autocommit=True) as owner:
        _advance_the_ledger(owner)
        assert asked() == newest
        _commit_a_batch(owner, [SATURDAY, SUNDAY])
        assert asked() == [*newest, SUNDAY, SATURDAY]
        execute(stocked, instance, partition_key=SATURDAY)
        assert asked() == [*newest, SUNDAY]
        _commit_a_batch(owner, [SATURDAY])
        assert asked() == [*newest, SUNDAY, SATURDAY]
        # Data that arrived months ago: the nights since then have diagnosed those dates again.
        owner.execute("update traffic.diagnosed_dates set diagnosed_at = '2025-07-01'")
        owner.execute("update traffic.micro_batches set committed_at = '2025-08-01'")
        assert asked() == [*newest, SUNDAY]


def _commit_a_batch(owner: psycopg.Connection[Any], dates: list[str]) -> None:
    owner.execute(
        "insert into traffic.micro_batches (batch_id, topic_no, partition, first_offset,"
        " next_offset, delivered, raw, processed, quarantined, inserted, updated, unchanged,"
        " event_dates, rules_version) select nextval('traffic.batch_ids'), topic_no, 0, 0, 1, 1, 1,"
        " 1, 0, 1, 0, 0, %s::date[], '1' from traffic.topics limit 1",
        (dates,),
    )


def test_the_schedule_requests_nothing_without_data_or_without_postgresql(
    platform: Settings, instance: DagsterInstance
) -> None:
    skipped = tick(build_definitions(platform), instance)
    assert isinstance(skipped, SkipReason)
    assert skipped.skip_message == "No data has arrived yet."
    nowhere = platform.model_copy(
        update={"read_database_url": type(platform.read_database_url)("postgresql://u@127.0.0.1:1/d")}  # pyright: ignore
    )  # fmt: skip
    skipped = tick(build_definitions(nowhere), instance)
    assert isinstance(skipped, SkipReason)
    assert "PostgreSQL is unavailable" in str(skipped.skip_message)


def test_the_schedule_requests_nothing_before_the_first_date_is_over(
    stocked: Settings, instance: DagsterInstance
) -> None:
    with psycopg.connect(stocked.endpoints().owner_url, autocommit=True) as owner:
        _advance_the_ledger(owner)
    first = TUESDAY_MORNING.date()
    skipped = tick(build_definitions(stocked.model_copy(update={"first_date": first})), instance)
    assert isinstance(skipped, SkipReason)
    later = stocked.model_copy(update={"first_date": first - timedelta(days=1)})
    assert asked_dates(tick(build_definitions(later), instance)) == [MONDAY]


def test_a_run_does_not_count_as_an_ingest_run_and_does_not_block_one(
    stocked: Settings,
    instance: DagsterInstance,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    execute(stocked, instance, partition_key=SATURDAY)
    assert newest_stream_runs(instance, stocked.writers) == []
    make_topic()
    produce([flat("b")])
    with psycopg.connect(stocked.endpoints().ingest_url) as diagnosing:
        diagnosing.execute("lock table traffic.detector_health in share row exclusive mode")
        ingest = build_definitions(stocked).resolve_job_def(INGEST_JOB)
        assert ingest.execute_in_process(instance=instance).success
        diagnosing.rollback()
    with psycopg.connect(stocked.endpoints().read_url) as reader:
        row = reader.execute("select count(*) from traffic.processed_events").fetchone()
    assert row == (1,)


def test_a_run_has_a_time_limit_and_one_process(stocked: Settings) -> None:
    job = build_definitions(stocked).resolve_job_def(HEALTH_JOB)
    assert int(job.tags["dagster/max_runtime"]) == 3_600
    assert job.executor_def.name == "in_process"


def _advance_the_ledger(owner: psycopg.Connection) -> None:
    owner.execute(
        "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('raw', 'id', 'c')"
    )
    owner.execute(
        "insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset, next_offset)"
        " values (1, 0, 'raw', 0, 30)"
    )
