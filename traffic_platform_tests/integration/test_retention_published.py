"""Retention and the clean stream: retention keeps unpublished events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from traffic_platform.maintenance.compact_audit import compact_audit
from traffic_platform.publish.publisher import run_publisher
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.aged_stream import TOPIC, fill, grow_older, send
from traffic_platform_tests.integration.clean_stream import read_published
from traffic_platform_tests.integration.maintenance_tools import count, dropped, keep, proof
from traffic_platform_tests.integration.once import ONCE, drain, event


@pytest.fixture
def platform(
    settings: Settings, owner: psycopg.Connection, make_topic: Callable[..., str]
) -> Settings:
    """A platform with a stream that arrived long ago and is not published yet."""
    make_topic(partitions=2, **TOPIC)
    make_topic(settings.events_topic, partitions=2)
    changed = settings.model_copy(update={"unknown_sensors": "quarantine"})
    fill(changed, owner)
    grow_older(owner, timedelta(days=100))
    return changed


def publish(settings: Settings) -> int:
    """Publish all events, and return their number with the reprocessed ones."""
    totals = run_publisher(settings, limits=ONCE, run_id=None, stop=lambda: False)
    return totals.events + totals.replays


def test_nothing_is_compacted_or_dropped_before_it_is_published(
    platform: Settings, owner: psycopg.Connection
) -> None:
    report = keep(platform)
    assert (report.compacted.rows, dropped(report)) == (0, set())
    assert "may not be published yet" in report.retired.kept["processed_events_202510"]
    published = publish(platform)
    assert published == count(platform, "processed_events")
    report = keep(platform)
    assert report.compacted.rows > 0
    assert {"processed_events_202510", "processed_events_202511"} < dropped(report)
    proof(platform)
    # And publishing continues from there.
    send(platform, [event("a", 700)], partition=0)
    drain(platform)
    assert publish(platform) == 1
    proof(platform)


def test_one_unpublished_event_keeps_all_later_ones(
    platform: Settings, owner: psycopg.Connection
) -> None:
    publish(platform)
    send(platform, [event("a", 700)], partition=0)
    drain(platform)
    grow_older(owner, timedelta(days=100))
    report = keep(platform)
    assert "processed_events_202511" in dropped(report)
    assert "processed_events_202510" in report.retired.kept


def test_a_publisher_that_starts_after_a_compaction_publishes_each_event_once(
    platform: Settings, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = platform.model_copy(update={"publish": False})
    assert compact_audit(owner, silent, datetime.now(UTC)).rows > 0
    events = count(platform, "processed_events")
    # Few at a time, so that a position falls inside a compacted audit row.
    monkeypatch.setattr("traffic_platform.publish.rows._BATCHES_PER_GENERATION", 1)
    monkeypatch.setattr("traffic_platform.publish.publisher_session.MESSAGES_PER_CYCLE", 1)
    assert publish(platform) == events
    assert len(read_published(platform, platform.events_topic)) == events
    assert publish(platform) == 0
    proof(platform)
