"""Ingest runs killed at every critical point."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.faults.accounting import assert_goes_on, stored
from traffic_platform_tests.faults.feed import Feed
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until

MakeTopic = Callable[..., str]
StartFeed = Callable[..., Feed]
StartRun = Callable[..., RunProcess]


@pytest.mark.parametrize(
    "point",
    [
        "before_database_commit:3",
        "after_database_commit:3",
        "before_group_commit:2",
        "after_group_commit:2",
    ],
)
def test_a_run_killed_at_a_commit_loses_nothing_and_repeats_nothing(
    settings: Settings,
    make_topic: MakeTopic,
    start_feed: StartFeed,
    start_run: StartRun,
    point: str,
) -> None:
    make_topic()
    feed = start_feed()
    killed = start_run("killed", TRAFFIC_FAULT_POINT=point)
    assert killed.ended() == (-signal.SIGKILL, {})
    assert_goes_on(settings, feed, start_run("successor"))


def test_runs_killed_repeatedly_at_any_time_lose_nothing(
    settings: Settings, make_topic: MakeTopic, start_feed: StartFeed, start_run: StartRun
) -> None:
    make_topic()
    feed = start_feed(rate=1000)
    for number in range(3):
        ingest_run = start_run(f"killed-{number}")
        before = stored(settings)
        wait_until(
            lambda before=before: stored(settings) > before, "the ingest run stores something"
        )
        ingest_run.kill()
    assert_goes_on(settings, feed, start_run("last"))
