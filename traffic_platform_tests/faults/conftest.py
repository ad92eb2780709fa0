"""Fixtures for ingest runs and feeds, which end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.faults.feed import Feed
from traffic_platform_tests.faults.ingest_runs import RunProcess


@pytest.fixture
def start_run(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., RunProcess]]:
    """start_run(run_id="one", writer=0, writers=1, limits={}, topics=[raw], constants={}, **env).

    It starts a process of an ingest run, or with topics=None of a publisher run, with these
    environment variables.
    """
    runs: list[RunProcess] = []

    def start(
        run_id: str = "one",
        writer: int = 0,
        writers: int = 1,
        limits: dict[str, Any] | None = None,
        topics: Sequence[str] | None = (environment["TRAFFIC_RAW_TOPIC"],),
        constants: Mapping[str, Any] | None = None,
        **variables: str,
    ) -> RunProcess:
        run = RunProcess(
            environment | variables,
            tmp_path / f"run-{len(runs)}-{run_id}.log",
            run_id=run_id,
            writer=writer,
            writers=writers,
            limits=limits or {},
            topics=topics,
            constants=constants,
        )
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.kill()


@pytest.fixture
def start_feed(settings: Settings) -> Iterator[Callable[..., Feed]]:
    """start_feed(rate=500): send events in the background."""
    feeds: list[Feed] = []

    def start(rate: float = 500) -> Feed:
        feed = Feed(settings, rate)
        feeds.append(feed)
        return feed

    yield start
    for feed in feeds:
        feed.abandon()
