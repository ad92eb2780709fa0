"""Helpers for tests of whole streams: an ingest run until caught up, and a verification."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from traffic_platform.ingest import session
from traffic_platform.ingest.drain import IngestTotals, RunLimits, run_ingest
from traffic_platform.monitoring.lag import LagReader
from traffic_platform.settings import Settings
from traffic_platform.verify import verify

ONCE = RunLimits(seconds=120, idle_seconds=30, until_caught_up=True, outage_seconds=20)
NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)


def drain(settings: Settings) -> IngestTotals:
    """Run ingest until it has caught up."""
    topics = [settings.raw_topic]
    return run_ingest(settings, topics, limits=ONCE, run_id=None, stop=lambda: False)


def step_our_clock(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Let the clock of ingest differ from now on. A test cannot set the machine's clock."""
    monkeypatch.setattr(
        session, "wall_clock_us", lambda: time.time_ns() // 1000 + seconds * 1_000_000
    )


def event(sensor: str, minute: int = 0, speed: float = 55.0, **fields: Any) -> bytes:
    """Return a flat event of 2025-10-04, 12:00 UTC plus `minute`."""
    timestamp = (NOON + timedelta(minutes=minute)).isoformat()
    return json.dumps(
        {"sensor_id": sensor, "timestamp": timestamp, "speed": speed} | fields
    ).encode()


def rows(settings: Settings, query: str, arguments: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        return connection.execute(query, arguments or None).fetchall()  # pyright: ignore


def lag(settings: Settings) -> int:
    """Return the number of readable messages in Kafka that are not stored."""
    reader = LagReader(settings)
    try:
        return sum(partition.lag for partition in reader.read([settings.raw_topic]))
    finally:
        reader.close()


def assert_proven(settings: Settings) -> None:
    """Assert that `traffic verify --deep` finds no difference."""
    report = verify(settings, deep=True)
    assert report.holds, [finding.sentence for finding in report.findings]
    assert not report.findings, [finding.sentence for finding in report.findings]
