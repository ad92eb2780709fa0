"""Ingest runs and feeds of a test, ended with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.faults.feed import Feed
from traffic_platform_tests.faults.ingest_runs import Window


@pytest.fixture
def start_run(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Window]]:
    """start_run(run_id="one", writer=0, writers=1, limits={}, topics=[raw], **environment).

    A process; without topics (None) it publishes.
    """
    windows: list[Window] = []

    def start(
        run_id: str = "one",
        writer: int = 0,
        writers: int = 1,
        limits: dict[str, Any] | None = None,
        topics: Sequence[str] | None = (environment["TRAFFIC_RAW_TOPIC"],),
        **variables: str,
    ) -> Window:
        ingest_run = Window(
            environment | variables,
            tmp_path / f"window-{len(windows)}-{run_id}.log",
            run_id=run_id,
            writer=writer,
            writers=writers,
            limits=limits or {},
            topics=topics,
        )
        windows.append(ingest_run)
        return ingest_run

    yield start
    for ingest_run in windows:
        ingest_run.kill()


@pytest.fixture
def start_feed(settings: Settings) -> Iterator[Callable[..., Feed]]:
    """start_feed(rate=500): events in the background."""
    feeds: list[Feed] = []

    def start(rate: float = 500) -> Feed:
        feed = Feed(settings, rate)
        feeds.append(feed)
        return feed

    yield start
    for feed in feeds:
        feed.abandon()
