"""`traffic produce` with a real broker."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Consumer, TopicPartition

from traffic_platform.kafka.admin import Broker
from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Traffic


def read_all(settings: Settings) -> list[tuple[bytes | None, bytes | None, int]]:
    """Return key, value and partition of every message on the raw topic."""
    consumer = Consumer({**settings.kafka_config(), "group.id": "reader"})
    partitions = range(settings.topic_partitions)
    ends = {
        p: consumer.get_watermark_offsets(TopicPartition(settings.raw_topic, p))[1]
        for p in partitions
    }
    consumer.assign([TopicPartition(settings.raw_topic, p, 0) for p in partitions])
    messages = consumer.consume(sum(ends.values()), timeout=30)
    consumer.close()
    return [(m.key(), m.value(), m.partition()) for m in messages]


def test_a_feed_without_rate_and_count_is_rejected(traffic_alone: Traffic) -> None:
    result = traffic_alone("produce")
    assert result.code == 2
    assert "--count is needed" in result.err


def test_without_a_stack_one_line_names_the_folder_and_the_remedy(
    traffic_alone: Traffic,
) -> None:
    result = traffic_alone("produce", "--count", 1)
    assert result.code == 1
    assert result.err == (
        f"Kafka is not known: no stack runs in {os.environ['TRAFFIC_HOME']} (TRAFFIC_HOME)."
        " Run `traffic up`, or set TRAFFIC_KAFKA_BOOTSTRAP_SERVERS.\n"
    )


def test_a_broker_that_does_not_answer_is_one_line_and_exit_code_1(
    traffic_alone: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broker.__init__, "__defaults__", (0.5,))  # seconds to wait, by default 10
    monkeypatch.setenv("TRAFFIC_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("TRAFFIC_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    result = traffic_alone("produce", "--count", 1)
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "Kafka" in result.err


def test_an_unknown_topic_is_one_line_and_exit_code_1(traffic: Traffic) -> None:
    result = traffic("produce", "--count", 1, "--topic", "no-such-topic")
    assert result.code == 1
    assert result.err.startswith("Topic no-such-topic does not exist. ")
    assert result.err.count("\n") == 1


def test_a_feed_into_the_future_is_rejected(traffic: Traffic) -> None:
    start = datetime.now(UTC) - timedelta(minutes=1)
    result = traffic("produce", "--count", 1000, "--start", start.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert result.code == 1
    assert "in the future" in result.err


def test_a_rejected_message_makes_the_exit_code_1(
    traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    make_topic(max_message_bytes="10")
    result = traffic("produce", "--count", 5, "--json")
    assert result.code == 1
    assert result.json["failed"] == 5
    assert result.json["delivered"] == 0
    assert result.err.startswith("5 events did not reach Kafka")


def test_the_totals_match_the_topic(
    settings: Settings, traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    make_topic()
    result = traffic(
        *("produce", "--count", 20_000, "--sensors", 40, "--json"),
        *("--repeat-share", 0.01, "--broken-share", 0.01),
    )
    assert result.code == 0, result.err
    totals = result.json
    assert totals["delivered"] == 20_000
    assert totals["failed"] == 0
    assert sum(totals[kind] for kind in ("flat", "nested", "repeat", "broken")) == 20_000
    messages = read_all(settings)
    assert len(messages) == 20_000
    assert sum(b"traffic_data" in (value or b"") for _, value, _ in messages) >= totals["nested"]
    assert len({key for key, _, _ in messages}) == 40
    assert len({(key, partition) for key, _, partition in messages}) == 40
    times = [json.loads(v)["timestamp"] for _, v, _ in messages if v and v.endswith(b"9}")]
    assert min(times) >= totals["first_timestamp"]
    assert max(times) <= totals["last_timestamp"] < datetime.now(UTC).isoformat()


def test_a_start_is_the_time_of_the_first_events(
    traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    make_topic()
    result = traffic("produce", "--count", 120, "--start", "2025-10-04", "--json")
    assert result.json["first_timestamp"] == "2025-10-04T00:00:00Z"
    assert result.json["last_timestamp"] == "2025-10-04T00:00:20Z"


def test_a_rate_is_kept_and_its_events_have_the_current_time(
    traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    make_topic()
    before = time.monotonic()
    result = traffic("produce", "--rate", 200, "--count", 300, "--json")
    took = time.monotonic() - before
    assert result.code == 0, result.err
    assert took > 299 / 200
    assert result.json["seconds"] == pytest.approx(1.5, abs=1.0)
    newest = datetime.fromisoformat(result.json["last_timestamp"])
    assert abs((datetime.now(UTC) - newest).total_seconds()) < 3


def test_people_get_a_table(traffic: Traffic, make_topic: Callable[..., str]) -> None:
    make_topic()
    result = traffic("produce", "--count", 1_200)
    assert result.code == 0
    assert "1,200" in result.out
    assert result.err == ""
