"""Ticks of the offset sensor, on real servers and a real instance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    SensorDefinition,
    build_sensor_context,
)
from dagster._core.test_utils import create_run_for_test

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.monitoring.lag import LagReader
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.ingest import demand, offset_sensor, watch
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.ingest_runs import newest_stream_runs
from traffic_platform.orchestration.ingest.offset_sensor import OFFSET_SENSOR
from traffic_platform.orchestration.instance.run_processes import WORKER_TAG, identity
from traffic_platform.orchestration.publish.clean_stream_asset import PUBLISH_JOB
from traffic_platform.orchestration.tags import WRITER, WRITERS, writer_tags
from traffic_platform.publish.publisher import run_publisher
from traffic_platform.settings import Settings
from traffic_platform_tests.orchestration.conftest import requests_of
from traffic_platform_tests.orchestration.feed import flat

MakeTopic = Callable[..., str]
Produce = Callable[..., None]


@pytest.fixture(autouse=True)
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks of two seconds, with eight polls."""
    monkeypatch.setattr(offset_sensor, "TICK_SECONDS", 2.0)
    monkeypatch.setattr(offset_sensor, "TICK_MARGIN_SECONDS", 0.0)


@pytest.fixture
def sensor(platform: Settings) -> SensorDefinition:
    """The sensor, with a watch of its own."""
    return build_definitions(platform).get_repository_def().get_sensor_def(OFFSET_SENSOR)


def tick(sensor: SensorDefinition, instance: DagsterInstance) -> list[RunRequest] | str:
    """The requests of a tick, or its message if it requests nothing."""
    result = sensor.evaluate_tick(build_sensor_context(instance=instance))
    return list(result.run_requests) if result.run_requests else str(result.skip_message)


def of_job(requests: list[RunRequest] | str, job: str) -> list[RunRequest]:
    """The requests of a tick for one job."""
    assert isinstance(requests, list), requests
    return [request for request in requests if request.job_name == job]


def record(instance: DagsterInstance, status: DagsterRunStatus, worker: str | None = None) -> str:
    """Create an ingest run as the queue does; return its id."""
    tags = {**writer_tags(0, 1), **({WORKER_TAG: worker} if worker else {})}
    return create_run_for_test(instance, job_name=INGEST_JOB, status=status, tags=tags).run_id


def store_all(settings: Settings) -> None:
    """Drain the topics without Dagster."""
    limits = RunLimits(60, 30, until_caught_up=True)
    run_ingest(settings, settings.ingest_topics, limits=limits, run_id=None, stop=lambda: False)


def publish_all(settings: Settings) -> None:
    """Publish the stored events without Dagster."""
    limits = RunLimits(60, 30, until_caught_up=True)
    run_publisher(settings, limits=limits, run_id=None, stop=lambda: False)


@contextmanager
def draining(settings: Settings, run_id: str | None) -> Iterator[None]:
    """A thread that drains and holds the locks meanwhile."""
    ended = threading.Event()
    drain = threading.Thread(
        target=run_ingest,
        args=(settings, [settings.raw_topic]),
        kwargs={"limits": RunLimits(60, 60), "run_id": run_id, "stop": ended.is_set},
    )
    drain.start()
    reader = LagReader(settings)
    while not reader.holders():
        time.sleep(0.05)
    yield
    ended.set()
    drain.join()
    reader.close()


def test_waiting_messages_request_one_run_at_once(
    platform: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
) -> None:
    make_topic()
    produce([flat("a")])
    [request] = of_job(tick(sensor, instance), INGEST_JOB)
    assert request.run_key is None
    assert request.tags.items() >= {WRITER: "0", WRITERS: "1"}.items()
    config = request.run_config["ops"]["event_tables"]["config"]
    assert config == {"writer": 0, "writers": 1}


def test_waiting_messages_and_stored_events_request_one_publisher(
    platform: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
) -> None:
    make_topic()
    produce([flat("a")])
    [request] = of_job(tick(sensor, instance), PUBLISH_JOB)
    assert request.run_key is None
    store_all(platform)
    assert len(of_job(tick(sensor, instance), PUBLISH_JOB)) == 1
    create_run_for_test(instance, job_name=PUBLISH_JOB, status=DagsterRunStatus.STARTING)
    assert "publisher" in tick(sensor, instance)


def test_without_publishing_no_publisher_is_requested(
    platform: Settings, instance: DagsterInstance, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    produce([flat("a")])
    silent = build_definitions(platform.model_copy(update={"publish": False}))
    requests = tick(silent.get_repository_def().get_sensor_def(OFFSET_SENSOR), instance)
    assert len(requests) == len(of_job(requests, INGEST_JOB)) == 1


def test_a_message_that_arrives_during_a_tick_ends_it(
    platform: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(offset_sensor, "TICK_SECONDS", 30.0)
    make_topic()
    store_all(platform)
    threading.Timer(1.0, produce, args=([flat("a")],)).start()
    began = time.monotonic()
    assert isinstance(tick(sensor, instance), list)
    assert time.monotonic() - began < 15


def test_a_quiet_topic_requests_nothing_and_the_tick_says_so(
    platform: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
) -> None:
    make_topic()
    make_topic(platform.events_topic)
    produce([flat("a")])
    store_all(platform)
    publish_all(platform)
    store_all(platform)  # the platform's own messages come back
    assert tick(sensor, instance) == (
        "0 messages behind. writer 0: nothing to do; publisher: nothing to do."
    )


def test_a_queued_run_has_time_to_start_and_a_failed_one_is_requested_again(
    instance: DagsterInstance, sensor: SensorDefinition, make_topic: MakeTopic
) -> None:
    make_topic()
    run_id = record(instance, DagsterRunStatus.STARTING)
    assert run_id[:8] in tick(sensor, instance)
    run = instance.get_run_by_id(run_id)
    assert run
    instance.report_run_failed(run)
    assert isinstance(tick(sensor, instance), list)


def test_failures_before_the_last_progress_of_ledger_and_publisher_delay_no_run(
    platform: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demand, "SAME_INCIDENT_SECONDS", 0.0)
    monkeypatch.setattr(demand, "LONGEST_BACKOFF_SECONDS", 3600.0)
    make_topic()
    make_topic(platform.events_topic)
    produce([flat("a")])
    for job, tags in ((INGEST_JOB, writer_tags(0, 1)), (PUBLISH_JOB, {})):
        for _ in range(11):  # a pause of 17 minutes
            status = DagsterRunStatus.STARTED
            instance.report_run_failed(
                create_run_for_test(instance, job_name=job, status=status, tags=tags)
            )
    paused = tick(sensor, instance)
    assert isinstance(paused, str)
    assert paused.count("the last run failed") == 2
    store_all(platform)
    publish_all(platform)
    produce([flat("b")])
    # A new watch remembers nothing, as after a restart of the code server.
    again = build_definitions(platform).get_repository_def().get_sensor_def(OFFSET_SENSOR)
    requests = tick(again, instance)
    assert of_job(requests, INGEST_JOB)
    assert of_job(requests, PUBLISH_JOB)


def test_a_busy_run_gets_one_successor(
    platform: Settings,
    instance: DagsterInstance,
    sensor: SensorDefinition,
    make_topic: MakeTopic,
    produce: Produce,
) -> None:
    make_topic()
    produce([flat("a")])
    holder = record(instance, DagsterRunStatus.STARTED)
    with draining(platform, holder):
        produce([flat("b")])
        [request] = of_job(tick(sensor, instance), INGEST_JOB)
        assert request.tags["traffic/reason"] == f"a successor for {holder[:8]}"
        record(instance, DagsterRunStatus.STARTED)
        create_run_for_test(instance, job_name=PUBLISH_JOB, status=DagsterRunStatus.STARTING)
        produce([flat("c")])
        assert f"{holder[:8]} drains" in tick(sensor, instance)


def test_a_run_whose_process_is_gone_is_reported_failed_and_replaced(
    instance: DagsterInstance, sensor: SensorDefinition, make_topic: MakeTopic
) -> None:
    make_topic()
    host = identity(1).partition("/")[0]
    ghost = record(instance, DagsterRunStatus.STARTED, f"{host}/1/1.00")
    assert isinstance(tick(sensor, instance), list)
    run = instance.get_run_by_id(ghost)
    assert run
    assert run.status is DagsterRunStatus.FAILURE
    assert newest_stream_runs(instance, 1)[0].ended_at is not None


def test_each_writer_gets_its_own_run(
    platform: Settings, instance: DagsterInstance, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    for partition in range(6):
        produce([flat("a", partition)], partition=partition)
    both = build_definitions(platform.model_copy(update={"writers": 2}))
    requests = tick(both.get_repository_def().get_sensor_def(OFFSET_SENSOR), instance)
    runs = of_job(requests, INGEST_JOB)
    assert [request.tags[WRITER] for request in runs] == ["0", "1"]


def test_an_outage_ends_the_tick_in_order_and_names_the_server(
    platform: Settings, instance: DagsterInstance, make_topic: MakeTopic
) -> None:
    unreachable = platform.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    definitions = build_definitions(unreachable)
    with requests_of(0.5):
        message = tick(definitions.get_repository_def().get_sensor_def(OFFSET_SENSOR), instance)
    assert isinstance(message, str)
    assert message.startswith("Cannot read the offsets: Kafka")


def test_a_missing_setting_fails_the_tick(platform: Settings, instance: DagsterInstance) -> None:
    definitions = build_definitions(platform.model_copy(update={"kafka_bootstrap_servers": None}))
    sensor = definitions.get_repository_def().get_sensor_def(OFFSET_SENSOR)
    with pytest.raises(Exception, match="traffic up"):
        sensor.evaluate_tick(build_sensor_context(instance=instance))


def test_a_tick_ends_just_before_the_daemons_next_step() -> None:
    polled = watch.TICK_SECONDS - watch.TICK_MARGIN_SECONDS
    assert watch.TICK_SECONDS % 5 == 0
    assert 0.3 < watch.TICK_MARGIN_SECONDS < 1
    assert polled < 30  # Dagster shows a tick as evaluating meanwhile


def test_the_description_says_how_long_a_tick_lasts(sensor: SensorDefinition) -> None:
    assert f"up to {offset_sensor.TICK_SECONDS:.0f} s" in str(sensor.description)
