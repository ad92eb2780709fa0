"""`traffic publish` with real servers."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from traffic_platform.ledger.partition_locks import PartitionLocks
from traffic_platform.publish.positions import publisher_lock
from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Traffic
from traffic_platform_tests.integration.clean_stream import read_published

EVENT = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":61.5,"volume":900}'


def test_it_works_without_once_and_ends_when_all_events_are_published(
    settings: Settings,
    traffic: Traffic,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    make_topic()
    make_topic(settings.events_topic)
    produce([EVENT])
    assert traffic("ingest").code == 0
    published = traffic("publish", "--json")
    assert published.code == 0, published.err
    assert (published.json["events"], published.json["lag"]) == (1, 0)


def test_it_fails_where_publishing_is_off(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_PUBLISH", "false")
    result = traffic("publish", "--once")
    assert result.code == 1
    assert result.err == "Nothing is published: TRAFFIC_PUBLISH is off. Set it to true.\n"


def test_it_names_the_publisher_that_it_waits_for(
    settings: Settings, traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    make_topic()
    make_topic(settings.events_topic)
    with psycopg.connect(settings.endpoints().ingest_url, autocommit=True) as connection:
        locks = PartitionLocks(connection, "another-run", lease_seconds=1)
        assert locks.acquire([(publisher_lock(settings), 0)])
        waited = traffic("publish", "--once")  # until the lease expires
    assert (waited.code, waited.err) == (0, "Waiting for another-run, which publishes now.\n")


def test_a_stored_event_is_published_once_and_recognized_as_an_own_message(
    settings: Settings,
    traffic: Traffic,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    make_topic()
    make_topic(settings.events_topic)
    produce([EVENT, b"nonsense"])
    assert traffic("ingest", "--once").code == 0
    first = traffic("publish", "--once", "--json")
    assert first.code == 0, first.err
    assert first.json == {"events": 1, "replays": 0, "quarantined": 0, "lag": 0}
    assert traffic("publish", "--once", "--json").json["events"] == 0
    assert "published" in traffic("publish", "--once").out
    own = traffic("ingest", "--once", "--json").json
    assert (own["delivered"], own["echoes"], own["raw"]) == (1, 1, 0)
    assert len(read_published(settings, settings.events_topic)) == 1
    assert traffic("verify", "--deep").code == 0
