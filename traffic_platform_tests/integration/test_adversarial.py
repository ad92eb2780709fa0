"""Ten thousand hostile messages among as many valid ones: each ends in the right table, once."""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message, Producer

from traffic_platform.events.reasons import Reason
from traffic_platform.sensors.sensor_import import import_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests import adversaries
from traffic_platform_tests.adversaries import EVENT, LOCAL_TIMES, UNKNOWN
from traffic_platform_tests.integration.once import assert_proven, drain, event, lag, rows

MakeTopic = Callable[..., str]
Position = tuple[int, int]  # partition, offset

COUNT = 10_000
_SEED = 20_251_004


# Together these settings produce every reason.
NAIVE = {"naive_timezone": adversaries.NAIVE_ZONE}
STRICT = {"unknown_sensors": "quarantine"}


@pytest.mark.parametrize(
    ("changes", "unreached"),
    [
        ({}, LOCAL_TIMES | {UNKNOWN}),
        (NAIVE, {"timestamp_without_zone", UNKNOWN}),
        (STRICT, LOCAL_TIMES),
    ],
    ids=["as it comes", "with a naive zone", "with known sensors only"],
)
def test_every_adversary_ends_where_it_must_and_every_good_event_arrives(
    settings: Settings,
    make_topic: MakeTopic,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    changes: dict[str, str],
    unreached: set[str],
) -> None:
    chosen = settings.model_copy(update=changes)
    make_topic(partitions=3, max_message_bytes=str(4 * adversaries.MEBIBYTE))
    if changes is STRICT:
        register_good_sensors(settings, tmp_path / "sensors.csv")
    bad = itertools.islice(adversaries.messages(_SEED, naive_zone=changes is NAIVE), COUNT)
    mixed = [*(map(without_a_known_sensor, bad) if changes is STRICT else bad)]
    mixed += map(good, range(COUNT))
    random.Random(_SEED).shuffle(mixed)
    sent = send(settings, mixed)
    caplog.set_level(logging.WARNING)
    totals = drain(chosen)
    assert totals.delivered == 2 * COUNT
    assert [record.message for record in caplog.records] == []  # the run retried nothing
    assert_right_ends(settings, sent)
    reached = rows(settings, "select distinct reason from traffic.quarantined_events")
    assert {reason for (reason,) in reached} == {reason.value for reason in Reason} - unreached
    assert lag(settings) == 0
    assert_proven(chosen)


def test_the_ends_that_the_generator_knows_are_the_closed_set_of_reasons() -> None:
    assert {reason.value for reason in Reason} | {EVENT} == adversaries.ANY_END


def good(number: int) -> adversaries.Message:
    """Return a valid event; each number has another sensor and time."""
    speed = number % 900 / 10
    value = event(f"good-{number % 100}", minute=number // 100, speed=speed)
    return adversaries.Message(value, frozenset({EVENT}), speed)


def register_good_sensors(settings: Settings, table: Path) -> None:
    """Register the sensors of the good events."""
    table.write_text("external_id\n" + "".join(f"good-{number}\n" for number in range(100)))
    import_sensors(settings, table)


def without_a_known_sensor(message: adversaries.Message) -> adversaries.Message:
    """Return the same message, to be rejected because its sensor is unknown."""
    ends = frozenset(UNKNOWN if end == EVENT else end for end in message.ends)
    return adversaries.Message(message.value, ends)


def send(
    settings: Settings, messages: list[adversaries.Message]
) -> dict[Position, adversaries.Message]:
    """All of them, by where the broker put them."""
    producer = Producer(
        {**settings.kafka_config(), "message.max.bytes": 4 * adversaries.MEBIBYTE, "log_level": 0}
    )
    sent: dict[Position, adversaries.Message] = {}
    for number, message in enumerate(messages):

        def delivered(
            error: KafkaError | None, ack: Message, message: adversaries.Message = message
        ) -> None:
            assert error is None, error
            sent[ack.partition() or 0, ack.offset() or 0] = message

        producer.produce(
            settings.raw_topic, message.value, partition=number % 3, on_delivery=delivered
        )
        producer.poll(0)
    assert producer.flush(120) == 0
    assert len(sent) == len(messages)
    return sent


def assert_right_ends(settings: Settings, sent: dict[Position, adversaries.Message]) -> None:
    """Assert that raw holds every message, and the right one of processed and quarantine does."""
    raw = rows(settings, 'select partition, "offset", value from traffic.raw_events')
    assert {(partition, offset): value for partition, offset, value in raw} == {
        position: message.value for position, message in sent.items()
    }
    processed = rows(settings, 'select partition, "offset", speed from traffic.processed_events')
    quarantined = rows(
        settings, 'select partition, "offset", reason, value from traffic.quarantined_events'
    )
    assert len(raw) == len(processed) + len(quarantined) == len(sent)
    wrong: list[object] = []
    for partition, offset, speed in processed:
        message = sent[partition, offset]
        if EVENT not in message.ends or message.speed not in (None, speed):
            wrong.append((message, EVENT, speed))
    for partition, offset, reason, value in quarantined:
        message = sent[partition, offset]
        if reason not in message.ends or value != message.value:
            wrong.append((message, reason))
    assert not wrong, f"{len(wrong)} ended otherwise: {str(wrong[:3])[:2000]}"
    ended = [(partition, offset) for partition, offset, *_ in (*processed, *quarantined)]
    assert len(set(ended)) == len(sent)
