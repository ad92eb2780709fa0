"""The offset sensor while a topic, the broker or the end of a transaction is missing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer
from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    ExecuteInProcessResult,
    RunRequest,
    SensorDefinition,
    build_sensor_context,
)

from traffic_platform.ingest import drain
from traffic_platform.monitoring import lag
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.ingest import offset_sensor
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.offset_sensor import OFFSET_SENSOR
from traffic_platform.run_clock import RunLimits
from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.conftest import KafkaServer
from traffic_platform_tests.orchestration.conftest import requests_of
from traffic_platform_tests.orchestration.feed import flat

MakeTopic = Callable[..., str]
Produce = Callable[..., None]

# Failures more than three seconds apart are two failures and not one.
OUTAGE_SECONDS = 3.5


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ticks and requests of two seconds, and runs that give up soon."""
    monkeypatch.setattr(offset_sensor, "TICK_SECONDS", 2.0)
    monkeypatch.setattr(offset_sensor, "TICK_MARGIN_SECONDS", 0.0)
    short_outage = functools.partial(RunLimits, outage_seconds=OUTAGE_SECONDS)
    monkeypatch.setattr(drain, "RunLimits", short_outage)
    with requests_of(2.0):
        yield


@pytest.fixture
def ingesting(platform: Settings) -> Settings:
    """Settings that publish nothing."""
    return platform.model_copy(update={"publish": False})


@pytest.fixture
def sensor(ingesting: Settings) -> SensorDefinition:
    """The sensor, with a watch of its own."""
    return build_definitions(ingesting).get_repository_def().get_sensor_def(OFFSET_SENSOR)


def tick(sensor: SensorDefinition, instance: DagsterInstance) -> RunRequest | str:
    """The run that a tick requests, or its message if it requests none."""
    result = sensor.evaluate_tick(build_sensor_context(instance=instance))
    if not result.run_requests:
        return str(result.skip_message)
    [request] = result.run_requests
    return request


def requested(sensor: SensorDefinition, instance: DagsterInstance) -> RunRequest:
    """The run that the next ticks request."""
    for _ in range(30):
        message = tick(sensor, instance)
        if isinstance(message, RunRequest):
            return message
    raise AssertionError(message)


def run(
    settings: Settings, instance: DagsterInstance, request: RunRequest
) -> ExecuteInProcessResult:
    """The requested run, in this process."""
    job = build_definitions(settings).resolve_job_def(INGEST_JOB)
    return job.execute_in_process(
        instance=instance,
        run_config=request.run_config,
        tags=dict(request.tags),
        raise_on_error=False,
    )


def run_in_vain(
    settings: Settings, instance: DagsterInstance, request: RunRequest
) -> ExecuteInProcessResult:
    """The requested run while nothing answers, so that no request has to wait long."""
    with requests_of(0.5):
        return run(settings, instance, request)


def failure(instance: DagsterInstance, result: ExecuteInProcessResult) -> str:
    """The error of a failed run."""
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.status is DagsterRunStatus.FAILURE
    [record] = instance.get_records_for_run(
        result.run_id, of_type=DagsterEventType.STEP_FAILURE
    ).records
    event = record.event_log_entry.dagster_event
    assert event is not None
    error = event.step_failure_data.error
    assert error is not None
    return str(error.cause.message if error.cause else error.message)


def count(settings: Settings, table: str) -> int:
    """Rows of a table."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        query: Any = f"select count(*) from traffic.{table}"
        [(number,)] = connection.execute(query).fetchall()
        return number


@contextmanager
def stopped(kafka: KafkaServer) -> Iterator[None]:
    """Stop the broker meanwhile."""
    kafka.process.stop()
    try:
        yield
    finally:
        kafka.process.start()


def test_a_topic_that_appears_later_is_read_from_its_first_message(
    ingesting: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
) -> None:
    assert tick(sensor, instance) == "0 messages behind. writer 0: nothing to do."
    make_topic()
    produce([flat("a"), flat("b")])
    assert run(ingesting, instance, requested(sensor, instance)).success
    assert count(ingesting, "traffic_readings") == 2


def test_an_outage_longer_than_runs_wait_costs_only_time(
    ingesting: Settings,
    kafka: KafkaServer,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
) -> None:
    make_topic()
    produce([flat("a", minute) for minute in range(20)])
    request = requested(sensor, instance)
    with stopped(kafka):
        failed = run_in_vain(ingesting, instance, request)
        said = failure(instance, failed)
        assert "An outage ended this run: gave up waiting: Kafka" in said
        assert "Traceback" not in said
        message = tick(sensor, instance)
        assert isinstance(message, str)
        assert message.startswith("Cannot read the offsets: Kafka")
    assert count(ingesting, "raw_events") == 0
    assert run(ingesting, instance, requested(sensor, instance)).success
    assert count(ingesting, "traffic_readings") == 20
    assert count(ingesting, "quarantined_events") == 0
    assert verify(ingesting, deep=True).holds


def test_runs_without_a_broker_are_requested_with_growing_pauses(
    ingesting: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_topic()
    produce([flat("a")])
    unreachable = ingesting.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    for _ in range(3):
        failed = run_in_vain(unreachable, instance, requested(sensor, instance))
        assert "gave up waiting: Kafka" in failure(instance, failed)
    monkeypatch.setattr(offset_sensor, "TICK_SECONDS", 0.5)
    message = tick(sensor, instance)
    assert isinstance(message, str)
    assert "writer 0: the last run failed; next try in" in message
    assert run(ingesting, instance, requested(sensor, instance)).success
    assert tick(sensor, instance) == "0 messages behind. writer 0: nothing to do."
    assert count(ingesting, "traffic_readings") == 1


def test_a_tick_names_the_partition_whose_messages_a_transaction_holds_back(
    ingesting: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lag, "OPEN_SECONDS", 0)
    make_topic(partitions=1)
    identity = {"transactional.id": ingesting.raw_topic, "log_level": 0}
    producer = Producer({**ingesting.kafka_config(), **identity})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(ingesting.raw_topic, flat("a"))
    assert producer.flush(30) == 0
    assert run(
        ingesting, instance, requested(sensor, instance)
    ).success  # the ledger learns of the topic
    message = tick(sensor, instance)
    assert isinstance(message, str)
    assert message.startswith("0 messages behind. writer 0: nothing to do. ")
    assert f"{ingesting.raw_topic} [0]: a producer's transaction has been open" in message
    producer.commit_transaction(30)
    assert run(ingesting, instance, requested(sensor, instance)).success
    assert count(ingesting, "traffic_readings") == 1
