"""Backfills and the clean stream: removed and accepted again, an event is published once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from traffic_platform.errors import TransientError
from traffic_platform.publish.publisher import run_publisher
from traffic_platform.reprocess import await_publisher, backfill_dates
from traffic_platform.run_clock import RunLimits
from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.integration.clean_stream import read_published
from traffic_platform_tests.integration.once import drain, rows

ONCE = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True, outage_seconds=20)
DAY = date(2025, 10, 4)


def naive(number: int) -> bytes:
    """Return an event whose time has no zone."""
    return json.dumps(
        {"sensor_id": "s", "timestamp": f"2025-10-04T08:{number:02}:00", "speed": 60}
    ).encode()


def test_removed_events_have_been_published_before(
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_topic(partitions=1)
    make_topic(settings.events_topic, partitions=1)
    zoned = settings.model_copy(update={"naive_timezone": "UTC"})

    def publish() -> Any:
        return run_publisher(zoned, limits=ONCE, run_id=None, stop=lambda: False)

    produce([naive(number) for number in range(5)])
    drain(zoned)
    publish()
    produce([naive(number) for number in range(5, 12)])
    drain(zoned)
    with monkeypatch.context() as hurried:
        hurried.setattr(await_publisher, "MAX_WAIT_SECONDS", 0.0)
        with pytest.raises(TransientError, match=r"7 events .* `traffic publish`"):
            backfill_dates(settings, [DAY])
    assert rows(settings, "select count(*) from traffic.processed_events") == [(12,)]
    publish()
    assert backfill_dates(settings, [DAY]).dates[0].left == 12
    assert backfill_dates(zoned, [DAY]).dates[0].entered == 12
    publish()
    times = [
        json.loads(one.value or b"")["timestamp"]
        for one in read_published(settings, settings.events_topic)
    ]
    assert times == [f"2025-10-04T08:{number:02}:00Z" for number in range(12)]
    assert verify(zoned, deep=True).holds
