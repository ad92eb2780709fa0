"""Records that few producers write and every broker accepts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
from confluent_kafka import Producer

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.settings import Settings
from traffic_platform.verify import verify

EVENT = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":61.5,"volume":900}'


def _drain(settings: Settings) -> None:
    limits = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True, outage_seconds=20)
    run_ingest(settings, [settings.raw_topic], limits=limits, run_id=None, stop=lambda: False)


def _send_with_headers(settings: Settings) -> None:
    servers = settings.endpoints().kafka_bootstrap_servers
    module = "traffic_platform_tests.integration.strange_header"
    subprocess.run(
        [sys.executable, "-m", module, servers, settings.raw_topic, EVENT.decode()],
        env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"},
        check=True,
    )


def test_headers_are_kept_byte_for_byte_also_with_an_invalid_utf8_name(
    settings: Settings, make_topic: Callable[..., str], produce: Callable[..., None]
) -> None:
    make_topic(partitions=1)
    produce([EVENT])
    _send_with_headers(settings)
    produce([EVENT])
    _drain(settings)
    with psycopg.connect(settings.endpoints().read_url) as connection:
        rows = connection.execute(
            'select headers from traffic.raw_events order by "offset"'
        ).fetchall()
    kept = [b"site", b"7", b"\xff\xfename", b"\x00", b"empty", None]
    assert rows == [(None,), (kept,), (None,)]
    assert verify(settings, deep=True).holds


def test_an_invalid_producer_time_counts_as_missing_and_takes_the_order_time_before_it(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic(
        partitions=1,
        message_timestamp_type="CreateTime",
        message_timestamp_after_max_ms=str(2**63 - 1),
        message_timestamp_before_max_ms=str(2**63 - 1),
    )
    nanoseconds = 1_768_571_234_000_000_000
    producer = Producer({**settings.kafka_config(), "log_level": 0})
    for timestamp, speed in ((1_768_571_234_000, 50), (nanoseconds, 60), (10**15, 70)):
        event = EVENT.replace(b"61.5", str(speed).encode())
        producer.produce(settings.raw_topic, event, timestamp=timestamp)
    producer.produce(settings.raw_topic, b"nonsense", timestamp=nanoseconds)
    assert producer.flush(30) == 0
    _drain(settings)
    with psycopg.connect(settings.endpoints().read_url) as connection:
        assert connection.execute(
            'select broker_timestamp is null from traffic.raw_events order by "offset"'
        ).fetchall() == [(False,), (True,), (True,), (True,)]
        assert connection.execute(
            "select speed, order_time from traffic.traffic_readings"
        ).fetchall() == [(70.0, datetime(2026, 1, 16, 13, 47, 14, tzinfo=UTC))]
    assert verify(settings, deep=True).holds
