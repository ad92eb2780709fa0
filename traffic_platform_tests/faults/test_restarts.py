"""Restarts of PostgreSQL and Kafka in mid-stream: the run waits, continues, quarantines nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import KafkaServer, PostgresServer
from traffic_platform_tests.faults.accounting import (
    assert_goes_on,
    stored,
)
from traffic_platform_tests.faults.feed import Feed
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until

MakeTopic = Callable[..., str]
StartFeed = Callable[..., Feed]
StartRun = Callable[..., RunProcess]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_run_continues_by_itself_after_a_restart_of_postgresql(
    settings: Settings,
    postgres: PostgresServer,
    make_topic: MakeTopic,
    start_feed: StartFeed,
    start_run: StartRun,
    end: str,
) -> None:
    make_topic()
    feed = start_feed()
    ingest_run = start_run()
    wait_until(lambda: stored(settings) > 200, "the ingest run drains")
    getattr(postgres.process, end)()
    postgres.process.start()
    assert_goes_on(settings, feed, ingest_run)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_run_continues_by_itself_after_a_restart_of_kafka(
    settings: Settings,
    kafka: KafkaServer,
    make_topic: MakeTopic,
    start_feed: StartFeed,
    start_run: StartRun,
    end: str,
) -> None:
    make_topic()
    feed = start_feed()
    ingest_run = start_run()
    wait_until(lambda: stored(settings) > 200, "the ingest run drains")
    getattr(kafka.process, end)()
    kafka.process.start()
    assert_goes_on(settings, feed, ingest_run)


def test_an_outage_beyond_the_limit_ends_the_run_cleanly_and_loses_nothing(
    settings: Settings,
    postgres: PostgresServer,
    make_topic: MakeTopic,
    start_feed: StartFeed,
    start_run: StartRun,
) -> None:
    make_topic()
    feed = start_feed()
    ingest_run = start_run(limits={"outage_seconds": 1})
    wait_until(lambda: stored(settings) > 100, "the ingest run drains")
    postgres.process.stop()
    try:
        code, output = ingest_run.ended()
    finally:
        postgres.process.start()
    assert (code, output["error"]) == (1, "TransientError"), ingest_run.log.read_text()
    assert_goes_on(settings, feed, start_run("next"))
