"""Apache Kafka's own tools show the platform's lag."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.settings import Settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka_tool import tool_command

EVENT = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":61.5}'


def describe_group(settings: Settings, environment: dict[str, str]) -> dict[int, list[str]]:
    """Return CURRENT-OFFSET, LOG-END-OFFSET and LAG of each partition by kafka-consumer-groups."""
    tool = [sys.executable, "-m", "traffic_platform.stack.kafka_tool", "consumer-groups"]
    answer = subprocess.run(
        [*tool, "--describe", "--group", settings.consumer_group],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    rows = [line.split() for line in answer.stdout.splitlines() if settings.raw_topic in line]
    return {int(row[2]): row[3:6] for row in rows}


def test_an_unknown_tool_is_refused() -> None:
    with pytest.raises(StackError, match="consumer-groups"):
        tool_command("nothing", [])


def test_kafka_consumer_groups_shows_the_lag_of_the_ledger(
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    environment: dict[str, str],
) -> None:
    make_topic(partitions=2)
    produce([EVENT] * 3, partition=0)
    produce([EVENT] * 4, partition=1)
    run_ingest(
        settings,
        [settings.raw_topic],
        limits=RunLimits(seconds=60, idle_seconds=30, until_caught_up=True),
        run_id=None,
        stop=lambda: False,
    )
    produce([EVENT] * 5, partition=1)
    assert describe_group(settings, environment) == {0: ["3", "3", "0"], 1: ["4", "9", "5"]}
