"""A ledger that stands still while messages wait, on real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.monitoring import lag, stall
from traffic_platform.monitoring.lag import LagReader
from traffic_platform.monitoring.stall import Stall
from traffic_platform.settings import Settings

MESSAGE = b'{"sensor_id": "a", "timestamp": "2025-10-04T12:00:00Z", "speed": 50}'


@pytest.fixture
def reader(settings: Settings) -> Iterator[LagReader]:
    """A reader of the lag."""
    with closing(LagReader(settings)) as opened:
        yield opened


def find(reader: LagReader, settings: Settings) -> Stall | None:
    """The stall at this moment."""
    return reader.stall(reader.read(settings.ingest_topics))


def store_all(settings: Settings) -> None:
    """Drain the topic."""
    limits = RunLimits(60, 30, until_caught_up=True)
    run_ingest(settings, [settings.raw_topic], limits=limits, run_id=None, stop=lambda: False)


def test_a_stall_names_messages_and_blocking_session_and_ends_with_the_next_batch(
    settings: Settings,
    reader: LagReader,
    owner: psycopg.Connection,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_topic()
    produce([MESSAGE])
    store_all(settings)
    produce([MESSAGE] * 3, partition=0)
    assert find(reader, settings) is None  # the ledger has just moved
    monkeypatch.setattr(lag, "STALL_SECONDS", 0.0)
    monkeypatch.setattr(stall, "_BRIEF_SECONDS", 0.0)
    with owner.transaction():
        owner.execute("lock table traffic.raw_events in share mode")
        found = find(reader, settings)
    assert found is not None
    assert found.messages == 3
    assert found.blockers[0].pid == owner.info.backend_pid
    assert "3 messages wait. It is blocked by process" in str(found)
    assert "lock table traffic.raw_events in share mode" in str(found)
    store_all(settings)
    assert find(reader, settings) is None


def test_a_first_message_after_a_quiet_time_is_no_stall(
    settings: Settings,
    reader: LagReader,
    owner: psycopg.Connection,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    make_topic(**{"message.timestamp.type": "LogAppendTime"})
    produce([MESSAGE], partition=0)
    store_all(settings)
    owner.execute("update traffic.kafka_offsets set updated_at = now() - interval '1 hour'")
    produce([MESSAGE], partition=0)
    assert find(reader, settings) is None
