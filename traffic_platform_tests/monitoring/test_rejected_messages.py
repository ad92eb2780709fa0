"""Quarantined messages in a real database after a real ingest run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.monitoring.rejected_messages import (
    QuarantineFilter,
    count_reasons,
    list_messages,
    read_messages,
)
from traffic_platform.settings import Settings

NO_MEASURES = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z"}'
TOO_FAST = b'{"sensor_id":17,"timestamp":"2025-10-04T08:00:00Z","speed":900}'


@pytest.fixture
def filled(
    settings: Settings, make_topic: Callable[..., str], produce: Callable[..., None]
) -> Settings:
    """A database with two messages without measures, one out of range and one invalid UTF-8."""
    make_topic(partitions=1)
    produce([NO_MEASURES, NO_MEASURES, TOO_FAST], partition=0)
    produce([b"\xff\x1b[2J"], partition=0, key=b"s9")
    run_ingest(
        settings,
        [settings.raw_topic],
        limits=RunLimits(seconds=60, idle_seconds=30, until_caught_up=True),
        run_id="run-1",
        stop=lambda: False,
    )
    return settings


def test_messages_are_counted_by_reason_and_filtered(filled: Settings) -> None:
    def reasons(**only: object) -> dict[str, int]:
        counts = count_reasons(filled, QuarantineFilter(**only))  # pyright: ignore[reportArgumentType]
        return {count.reason: count.messages for count in counts}

    assert reasons() == {"no_measures": 2, "out_of_range": 1, "invalid_utf8": 1}
    assert next(iter(reasons())) == "no_measures"
    assert reasons(reason="out_of_range") == {"out_of_range": 1}
    assert reasons(sensor="17") == {"out_of_range": 1}
    assert reasons(sensor="s9") == {"invalid_utf8": 1}
    assert reasons(sensor="none") == {}
    today = datetime.now(UTC).date()
    assert sum(reasons(day=today).values()) == 4
    assert reasons(day=today - timedelta(days=2)) == {}


def test_the_newest_messages_are_listed_first(filled: Settings) -> None:
    messages = list_messages(filled, QuarantineFilter(), limit=2)
    assert [message.offset for message in messages] == [3, 2]
    assert messages[1].id == f"{filled.raw_topic}/0/2"
    assert "900" in messages[1].detail


def test_a_message_is_read_with_its_bytes_and_origin(filled: Settings) -> None:
    (message,) = read_messages(filled, filled.raw_topic, 0, 3)
    assert message.value == b"\xff\x1b[2J"
    assert message.key == b"s9"
    assert message.reason == "invalid_utf8"
    assert message.run_id == "run-1"
    assert message.ingested_at is not None
    assert read_messages(filled, filled.raw_topic, 0, 99) == []
