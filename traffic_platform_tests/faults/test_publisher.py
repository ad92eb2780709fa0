"""Publishers that are killed, doubled, paused or cut off: each event is published once."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.conftest import KafkaServer, PostgresServer
from traffic_platform_tests.faults.feed import Feed, send
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.integration.clean_stream import Published, read_published

MakeTopic = Callable[..., str]
StartFeed = Callable[..., Feed]
StartRun = Callable[..., RunProcess]


@pytest.fixture
def both(settings: Settings, make_topic: MakeTopic) -> Settings:
    """The raw topic and the clean stream, three partitions each."""
    make_topic(partitions=3)
    make_topic(settings.events_topic, partitions=3)
    return settings


def published(settings: Settings) -> list[Published]:
    """Return our messages as a plain consumer reads them."""
    return read_published(settings, settings.events_topic)


def due(settings: Settings) -> Counter[tuple[Any, ...]]:
    """Return (topic_no, partition, offset) of every processed event of the raw topic."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        rows = connection.execute(
            'select p.topic_no, p.partition, p."offset" from traffic.processed_events p'
            " join traffic.topics t using (topic_no) where t.name = %s",
            (settings.raw_topic,),
        ).fetchall()
    return Counter(rows)


def sources(messages: list[Published]) -> Counter[tuple[Any, ...]]:
    """Return (topic_no, partition, offset) of each raw message from the origin headers."""
    origins = [dict(message.headers)["traffic-origin"] or b"" for message in messages]
    return Counter(tuple(int(n) for n in origin.split(b"/")[1:4]) for origin in origins)


def assert_published_once(settings: Settings) -> None:
    """Assert that each processed event is published once, in offset order, and `verify` agrees."""
    messages = published(settings)
    assert sources(messages) == due(settings)
    order = [list(source) for source in sources(messages)]
    for partition in range(3):
        offsets = [offset for _, p, offset in order if p == partition]
        assert offsets == sorted(offsets)
    assert [finding.sentence for finding in verify(settings, deep=True).findings] == []


def finish(settings: Settings, start_run: StartRun, feed: Feed | None = None) -> None:
    """Store and publish the rest, then ingest our own messages."""
    if feed is not None:
        feed.stop()
    once = {"until_caught_up": True}
    topics = settings.ingest_topics
    start_run("rest", limits=once, topics=topics).result()
    start_run("rest", limits=once, topics=None).result()
    start_run("own messages", limits=once, topics=topics).result()


@pytest.mark.parametrize(
    ("point", "visible"), [("before_publish_commit", False), ("after_publish_commit", True)]
)
def test_a_publisher_killed_at_a_commit_loses_nothing_and_repeats_nothing(
    both: Settings, start_run: StartRun, point: str, visible: bool
) -> None:
    send(both, 300)
    finish(both, start_run)
    before = len(published(both))
    send(both, 500, first=300)
    start_run(limits={"until_caught_up": True}).result()
    killed = start_run("killed", topics=None, TRAFFIC_FAULT_POINT=point)
    assert killed.ended() == (-signal.SIGKILL, {})
    # Committed in Kafka but not in PostgreSQL, or in neither, with an open transaction.
    assert (len(published(both)) > before) == visible
    finish(both, start_run)
    assert_published_once(both)


def test_publishers_killed_again_and_again_in_a_stream_repeat_nothing(
    both: Settings, start_feed: StartFeed, start_run: StartRun
) -> None:
    feed = start_feed(rate=1000)
    ingest_run = start_run("ingest", topics=both.ingest_topics)
    for number in range(5):
        before = len(published(both))
        publisher = start_run(f"publisher-{number}", topics=None)
        wait_until(
            lambda before=before: len(published(both)) > before, "the publisher publishes something"
        )
        publisher.kill()
    feed.stop()
    ingest_run.end()
    finish(both, start_run)
    assert_published_once(both)


def test_of_two_publishers_the_one_that_wakes_up_late_is_fenced_and_ends_quietly(
    both: Settings, start_run: StartRun
) -> None:
    send(both, 500)
    start_run(limits={"until_caught_up": True}).result()
    paused = start_run(
        "paused",
        topics=None,
        TRAFFIC_LEASE_SECONDS="2",
        TRAFFIC_FAULT_POINT="before_publish_commit:1:stop",
    )
    wait_until(lambda: paused.paused, "the publisher pauses itself")
    successor = start_run("successor", topics=None, TRAFFIC_LEASE_SECONDS="2")
    wait_until(
        lambda: sources(published(both)) == due(both), "the successor has published every event"
    )
    paused.send(signal.SIGCONT)
    code, output = paused.ended()
    assert (code, output.get("events")) == (0, 0), (output, paused.log.read_text())
    successor.end()
    finish(both, start_run)
    assert_published_once(both)


@pytest.mark.parametrize("server", ["postgres", "kafka"])
def test_a_publisher_goes_on_by_itself_after_a_restart(
    both: Settings,
    postgres: PostgresServer,
    kafka: KafkaServer,
    start_feed: StartFeed,
    start_run: StartRun,
    server: str,
) -> None:
    feed = start_feed()
    ingest_run = start_run("ingest", topics=both.ingest_topics)
    publisher = start_run("publisher", topics=None)
    wait_until(lambda: len(published(both)) > 100, "something is published")
    process = {"postgres": postgres, "kafka": kafka}[server].process
    process.kill()
    process.start()
    before = len(published(both))
    wait_until(lambda: len(published(both)) > before, "the publisher continues")
    feed.stop()
    publisher.end()
    ingest_run.end()
    finish(both, start_run)
    assert_published_once(both)


def test_a_clean_stream_that_was_deleted_goes_on_in_the_new_one_and_repeats_nothing(
    both: Settings, admin: AdminClient, make_topic: MakeTopic, start_run: StartRun
) -> None:
    send(both, 300)
    finish(both, start_run)
    first = sources(published(both))
    admin.delete_topics([both.events_topic])[both.events_topic].result(timeout=30)
    wait_until(
        lambda: both.events_topic not in admin.list_topics(timeout=30).topics,
        "the topic is deleted",
    )
    make_topic(both.events_topic, partitions=2)
    send(both, 200, first=300)
    finish(both, start_run)
    second = sources(published(both))
    assert first + second == due(both)
    assert not first & second
