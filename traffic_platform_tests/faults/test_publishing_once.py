"""A run that publishes the events stored at its start, beside a publisher and in a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from dagster import materialize

from traffic_platform.errors import PermanentError
from traffic_platform.ingest.drain import run_ingest
from traffic_platform.ledger.partition_locks import PartitionLocks
from traffic_platform.orchestration.publish.clean_stream_asset import clean_stream
from traffic_platform.publish.positions import publisher_lock
from traffic_platform.publish.publisher import run_publisher
from traffic_platform.run_clock import RunLimits
from traffic_platform.settings import Settings
from traffic_platform_tests.faults.feed import Feed, send
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.integration.clean_stream import read_published
from traffic_platform_tests.integration.once import ONCE

MakeTopic = Callable[..., str]
StartFeed = Callable[..., Feed]
StartRun = Callable[..., RunProcess]


@pytest.fixture
def both(settings: Settings, make_topic: MakeTopic) -> Settings:
    """The raw topic and the clean stream, two partitions each."""
    make_topic(partitions=2)
    make_topic(settings.events_topic, partitions=2)
    return settings


@pytest.fixture
def idle_holder(both: Settings) -> Iterator[psycopg.Connection]:
    """A connection that holds the publisher's lock and publishes nothing."""
    with psycopg.connect(both.endpoints().ingest_url, autocommit=True) as connection:
        locks = PartitionLocks(connection, "holder", lease_seconds=3600)
        assert locks.acquire([(publisher_lock(both), 0)])
        yield connection


def store(settings: Settings) -> None:
    """Store 500 messages."""
    send(settings, 500)
    topics = list(settings.ingest_topics)
    run_ingest(settings, topics, limits=ONCE, run_id=None, stop=lambda: False)


def published(settings: Settings) -> int:
    """Return the number of messages in the clean stream."""
    return len(read_published(settings, settings.events_topic))


def test_it_ends_beside_a_publisher_in_a_stream_and_leaves_it_running(
    both: Settings, start_feed: StartFeed, start_run: StartRun
) -> None:
    feed = start_feed(rate=500)
    ingest = start_run("ingest", topics=both.ingest_topics)
    publisher = start_run("publisher", topics=None)
    wait_until(lambda: published(both) > 0, "something is published")
    once = start_run("once", topics=None, limits={"until_caught_up": True})
    assert once.result(30)["events"] == 0
    before = published(both)
    wait_until(lambda: published(both) > before, "the publisher goes on")
    publisher.end()
    assert "taken over" not in publisher.log.read_text()
    ingest.end()
    feed.stop()


def test_it_takes_over_when_the_publisher_ends_before_the_work(
    both: Settings, start_run: StartRun, idle_holder: psycopg.Connection
) -> None:
    store(both)
    once = start_run("once", topics=None, limits={"until_caught_up": True})
    wait_until(lambda: waits_for_lock(idle_holder), "it is connected")
    assert published(both) == 0
    idle_holder.close()
    assert once.result()["events"] == published(both) > 0


def test_it_fails_when_the_publisher_publishes_nothing(
    both: Settings, idle_holder: psycopg.Connection
) -> None:
    store(both)
    limits = RunLimits(60, 60, until_caught_up=True, outage_seconds=1)
    with pytest.raises(PermanentError, match="published nothing for 1 s, and 500 offsets wait"):
        run_publisher(both, limits=limits, run_id=None, stop=lambda: False)
    assert not idle_holder.closed
    assert published(both) == 0


@pytest.mark.usefixtures("idle_holder")
def test_the_asset_is_materialized_beside_a_publisher_that_has_published_everything(
    both: Settings,
) -> None:
    patient = both.model_copy(update={"ingest_run_seconds": 3600})
    with ThreadPoolExecutor() as threads:
        run = threads.submit(lambda: materialize([clean_stream(patient)]))
        wait_until(run.done, "the run ends")
        assert run.result().success


def waits_for_lock(connection: psycopg.Connection) -> bool:
    """Return True when another publisher is connected."""
    others = (
        "select 1 from pg_stat_activity where application_name = 'traffic-publisher'"
        " and datname = current_database() and query like '%%advisory%%'"
    )
    return bool(connection.execute(others).fetchall())
