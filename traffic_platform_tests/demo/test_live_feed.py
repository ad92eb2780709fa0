"""The live feed: the last day once, then due messages; a repeat has the same values."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from confluent_kafka import Consumer, TopicPartition

from traffic_platform.demo.live_feed import run
from traffic_platform.errors import PermanentError
from traffic_platform.sensors.sensor_import import list_sensors
from traffic_platform.settings import Settings


class OneTick(Event):
    """An event that is set when the feed waits for the first time."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def read_values(settings: Settings) -> list[bytes]:
    """Return all values on the raw topic."""
    consumer = Consumer({**settings.kafka_config(), "group.id": "reader"})
    partitions = [TopicPartition(settings.raw_topic, p, 0) for p in range(6)]
    count = sum(consumer.get_watermark_offsets(partition)[1] for partition in partitions)
    consumer.assign(partitions)
    messages = consumer.consume(count, timeout=30)
    consumer.close()
    return [message.value() or b"" for message in messages]


def identities(values: list[bytes]) -> list[tuple[str, str]]:
    events = [json.loads(value) for value in values]
    return [(event["sensor_id"], event["timestamp"]) for event in events]


def position_file(settings: Settings) -> Path:
    return settings.home / "run" / "corridor.json"


def test_a_missing_topic_is_reported(settings: Settings) -> None:
    with pytest.raises(PermanentError, match="traffic up"):
        run(settings, OneTick())


def test_history_is_sent_once_and_a_restart_continues(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic()
    run(settings, OneTick(), sensors=12, history_s=7200)
    first = read_values(settings)
    assert len(first) == pytest.approx(12 * 120, abs=24)
    assert len(set(identities(first))) == len(first)
    run(settings, OneTick(), sensors=12, history_s=7200)
    both = read_values(settings)
    assert len(both) - len(first) <= 12
    assert len(set(identities(both))) == len(both)


def test_messages_sent_again_after_a_crash_have_the_same_values(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic()
    run(settings, OneTick(), sensors=12, history_s=7200)
    position_file(settings).unlink()
    run(settings, OneTick(), sensors=12, history_s=3600)
    values = read_values(settings)
    assert len(values) > len(set(identities(values)))
    assert len(set(values)) == len(set(identities(values)))


def test_another_cluster_gets_the_history_again(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic()
    position_file(settings).parent.mkdir(parents=True)
    position_file(settings).write_text('{"cluster_id": "other", "topic": "x", "sent": 99999999999}')
    run(settings, OneTick(), sensors=6, history_s=600)
    assert len(read_values(settings)) == pytest.approx(60, abs=6)


def test_its_sensors_are_imported_and_named_synthetic(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic()
    run(settings, OneTick(), sensors=60, history_s=60)
    sensors = list_sensors(settings)
    assert len(sensors) == 60
    for sensor in sensors:
        assert sensor.external_id.startswith("synthetic-")
        assert "synthetic" in (sensor.name or "").lower()
        assert "synthetic" in (sensor.road or "").lower()
        assert sensor.origin == "imported"
        assert sensor.interval_s == 60
        assert sensor.length_mi
        assert sensor.milepost is not None


def test_the_service_ends_on_sigterm_with_its_position_saved(
    settings: Settings, make_topic: Callable[..., str], environment: dict[str, str]
) -> None:
    make_topic()
    process = subprocess.Popen(
        [sys.executable, "-m", "traffic_platform.demo.live_feed"],
        env={**os.environ, **environment},
    )
    deadline = time.monotonic() + 120
    while not position_file(settings).exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    values = read_values(settings)
    assert len(values) == pytest.approx(86_400, abs=60)
    run(settings, OneTick())
    assert len(read_values(settings)) - len(values) <= 60
