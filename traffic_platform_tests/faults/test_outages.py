"""Long outages of PostgreSQL, Kafka or both in mid-stream, and their report in the status."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import psycopg
import pytest
from confluent_kafka import KafkaException, Producer

from traffic_platform.monitoring.lag import OPEN_SECONDS
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import KafkaServer, PostgresServer
from traffic_platform_tests.faults.accounting import assert_exactly_once, lost_ranges, stored
from traffic_platform_tests.faults.feed import Feed
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.integration.clean_stream import Published, read_published
from traffic_platform_tests.stack.conftest import CommandLine

MakeTopic = Callable[..., str]
StartFeed = Callable[..., Feed]
StartRun = Callable[..., RunProcess]

# A run waits 1 s for an answer of Kafka, not 10, and up to 0.8 s between attempts, not 10.
_IMPATIENT = {
    "traffic_platform.kafka.admin.Broker.__init__.__defaults__": (1.0,),
    "traffic_platform.run_clock._RETRY_SECONDS": (0.2, 0.8),
}
# Long enough for every backoff of ingest run, publisher and producer to reach its maximum.
OUTAGE_SECONDS = 6.0
_LIMITS = {"seconds": 300, "idle_seconds": 300, "outage_seconds": 120}


@pytest.fixture
def stack(settings: Settings, environment: dict[str, str]) -> Iterator[CommandLine]:
    """A running stack without Dagster that uses the servers of the test session."""
    named = {key: value for key, value in environment.items() if key != "TRAFFIC_HOME"}
    command = CommandLine(settings.home, named)
    started = command("up", "--detach", "--no-dagster")
    try:
        assert started.returncode == 0, started.stderr
        yield command
    finally:
        command("down")


def assert_named(stack: CommandLine, names: Sequence[str], seconds: float = 0) -> None:
    """Assert, for so long and at least once, that status has one problem for each of these."""
    until = time.monotonic() + seconds
    while True:
        status = stack.status()
        assert not status["healthy"]
        problems = status["problems"]
        assert [problem.split()[0].rstrip(":") for problem in problems] == list(names), problems
        if time.monotonic() >= until:
            return


def published(settings: Settings) -> list[Published]:
    """Return the clean stream, or an empty list while a restarted broker cannot serve it yet."""
    try:
        return read_published(settings, settings.events_topic)
    except KafkaException:
        return []


def processed(settings: Settings) -> int:
    """Return the number of events to publish."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        [(number,)] = connection.execute("select count(*) from traffic.processed_events").fetchall()
        return number


def test_the_stream_resumes_alone_after_long_outages_and_status_names_the_missing_server(
    settings: Settings,
    postgres: PostgresServer,
    kafka: KafkaServer,
    stack: CommandLine,
    start_feed: StartFeed,
    start_run: StartRun,
) -> None:
    feed = start_feed(rate=300)
    ingest_run = start_run(
        "ingest", limits=_LIMITS, topics=settings.ingest_topics, constants=_IMPATIENT
    )
    publisher = start_run("publisher", limits=_LIMITS, topics=None, constants=_IMPATIENT)

    def assert_continues() -> None:
        before, published_before = stored(settings), len(published(settings))
        wait_until(lambda: stored(settings) > before, "the ingest run continues", 90)
        wait_until(
            lambda: len(published(settings)) > published_before, "the publisher continues", 90
        )

    assert_continues()
    assert stack.status()["healthy"]
    postgres.process.stop()
    try:
        assert_named(stack, ["PostgreSQL"], OUTAGE_SECONDS)
    finally:
        postgres.process.start()
    assert_continues()
    kafka.process.stop()
    try:
        assert_named(stack, ["Kafka"], OUTAGE_SECONDS)
        postgres.process.stop()
        assert_named(stack, ["Kafka", "PostgreSQL"])
    finally:
        postgres.process.start()
        kafka.process.start()
    assert_continues()
    assert stack.status()["healthy"]
    sent = feed.stop()
    wait_until(lambda: stored(settings) == len(sent), "every message is stored")
    wait_until(lambda: len(published(settings)) == processed(settings), "every event is published")
    publisher.end()
    ingest_run.end()
    origins = [dict(message.headers)["traffic-origin"] for message in published(settings)]
    assert len(set(origins)) == len(origins) == processed(settings)
    assert lost_ranges(settings) == []
    assert_exactly_once(settings, sent)  # with only the feed's broken messages in quarantine


def test_status_names_the_partition_whose_messages_a_transaction_holds_back(
    settings: Settings, make_topic: MakeTopic, request: pytest.FixtureRequest
) -> None:
    make_topic(partitions=1, message_timestamp_type="CreateTime")
    stack: CommandLine = request.getfixturevalue("stack")
    identity = {"transactional.id": settings.raw_topic, "log_level": 0}
    producer = Producer({**settings.kafka_config(), **identity})
    producer.init_transactions(30)
    producer.begin_transaction()
    long_ago = int((time.time() - OPEN_SECONDS - 60) * 1000)
    producer.produce(settings.raw_topic, b"{}", timestamp=long_ago)
    assert producer.flush(30) == 0
    [problem] = stack.status()["problems"]
    assert problem.startswith(f"{settings.raw_topic} [0]: a producer's transaction has been open")
    producer.commit_transaction(30)
    # Nothing ingests here, so the old message waits now.
    assert not [problem for problem in stack.status()["problems"] if "transaction" in problem]
