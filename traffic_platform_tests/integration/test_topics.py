"""Special topics: compacted topics, and topics with messages of eight megabytes."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from traffic_platform.settings import Settings
from traffic_platform_tests.integration.clean_stream import Published, read_published
from traffic_platform_tests.integration.once import assert_proven, drain, event, lag, rows

MakeTopic = Callable[..., str]
Produce = Callable[..., None]

NOT_YET = "3600000"  # min.compaction.lag.ms: messages are not compacted for an hour
EIGHT_MB = 8 * 1024 * 1024
_BATCH_OVERHEAD = 200  # bytes that a record batch adds to its only message, at most


@contextmanager
def compacting(admin: AdminClient, topic: str) -> Iterator[None]:
    """Make the broker compact a topic that was created with NOT_YET at once, not every 15 s."""

    def alter(kind: ResourceType, name: str, entry: ConfigEntry) -> None:
        resource = ConfigResource(kind, name, incremental_configs=[entry])
        admin.incremental_alter_configs([resource])[resource].result(timeout=30)

    def eager(operation: AlterConfigOpType) -> ConfigEntry:
        return ConfigEntry("log.cleaner.backoff.ms", "100", incremental_operation=operation)

    now = ConfigEntry("min.compaction.lag.ms", "0", incremental_operation=AlterConfigOpType.SET)
    alter(ResourceType.TOPIC, topic, now)
    alter(ResourceType.BROKER, "1", eager(AlterConfigOpType.SET))
    yield
    alter(ResourceType.BROKER, "1", eager(AlterConfigOpType.DELETE))


def close_segment(producer: Producer, topic: str) -> None:
    """Send an event whose time is too late for the current segment, so the broker closes it."""
    later = int((time.time() + 60) * 1000)
    producer.produce(topic, event("last"), key=b"f", timestamp=later)
    assert producer.flush(30) == 0


def wait_for_compaction(settings: Settings, since: int, messages: int) -> list[Published]:
    """Return the messages left from `since` on, once compaction has left at most `messages`."""
    pause = threading.Event()
    until = time.monotonic() + 60
    while True:
        everything = read_published(settings, settings.raw_topic)
        left = [message for message in everything if message.offset >= since]
        if len(left) <= messages:
            return left
        assert time.monotonic() < until, f"{len(left)} messages are left after a minute"
        pause.wait(0.1)


def test_holes_and_tombstones_of_a_compacted_topic_are_accounted_for(
    settings: Settings,
    admin: AdminClient,
    make_topic: MakeTopic,
    producer: Producer,
    produce: Produce,
) -> None:
    make_topic(
        partitions=1,
        cleanup_policy="compact",
        min_cleanable_dirty_ratio="0.0",
        segment_ms="10000",
        min_compaction_lag_ms=NOT_YET,
        message_timestamp_type="CreateTime",
    )
    for key in (b"a", b"b", b"c"):
        produce([event("stored before", n) for n in range(100)], key=key)
    drain(settings)
    for key in (b"a", b"d", b"e"):
        produce([event("stored after", n) for n in range(100)], key=key)
    produce([None], key=b"b")
    close_segment(producer, settings.raw_topic)
    # One of each key a, d, e, the tombstone of b, and the event that closed the segment.
    with compacting(admin, settings.raw_topic):
        remaining = wait_for_compaction(settings, 300, 5)
    totals = drain(settings)
    assert (totals.delivered, totals.quarantined) == (len(remaining), 1)
    assert rows(settings, "select next_offset from traffic.kafka_offsets") == [(602,)]
    assert rows(settings, "select count(*) from traffic.raw_events") == [(300 + len(remaining),)]
    assert rows(settings, "select reason, key from traffic.quarantined_events") == [
        ("tombstone", b"b")
    ]
    assert lag(settings) == 0
    assert_proven(settings)


@pytest.mark.parametrize("batch_bytes", [32 * 1024 * 1024, 1024 * 1024])
def test_messages_as_large_as_the_broker_takes_are_stored_in_bounded_batches(
    settings: Settings, make_topic: MakeTopic, batch_bytes: int
) -> None:
    make_topic(partitions=1, max_message_bytes=str(EIGHT_MB))
    chance = random.Random(8)
    largest = EIGHT_MB - _BATCH_OVERHEAD
    sent: list[bytes] = []
    for number in range(6):
        sent += [
            chance.randbytes(largest),
            event("a", number),
            event("b", number, note="x" * 900_000),
        ]
    producer = Producer(
        {**settings.kafka_config(), "message.max.bytes": 2 * EIGHT_MB, "log_level": 0}
        | {"batch.num.messages": 1}
    )
    for value in sent:
        producer.produce(settings.raw_topic, value)
    assert producer.flush(60) == 0
    totals = drain(settings.model_copy(update={"batch_bytes": batch_bytes}))
    assert (totals.processed, totals.quarantined) == (12, 6)
    digests = [(hashlib.sha256(value).digest(),) for value in sent]
    query = 'select sha256(value) from traffic.{} order by "offset"'
    assert rows(settings, query.format("raw_events")) == digests
    assert rows(settings, query.format("quarantined_events")) == digests[::3]
    assert rows(settings, "select distinct reason from traffic.quarantined_events") == [
        ("too_large",)
    ]
    batches = rows(
        settings,
        "select sum(octet_length(value)), count(*) from traffic.raw_events group by batch_id",
    )
    assert all(size <= batch_bytes or messages == 1 for size, messages in batches)
    assert_proven(settings)


def test_a_message_beyond_the_brokers_limit_never_gets_there_and_stops_nobody(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1, max_message_bytes=str(EIGHT_MB))
    producer = Producer(
        {**settings.kafka_config(), "message.max.bytes": 2 * EIGHT_MB, "log_level": 0}
    )
    errors: list[object] = []
    producer.produce(
        settings.raw_topic, bytes(EIGHT_MB + 1), on_delivery=lambda error, _: errors.append(error)
    )
    assert producer.flush(60) == 0
    assert "MSG_SIZE_TOO_LARGE" in str(errors[0])
    produce([event("a")])
    assert drain(settings).delivered == 1
    assert_proven(settings)
