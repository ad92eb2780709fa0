"""Unique events, sent in the background, with the partition and offset of each.

Most are valid, flat or nested. One in fifty repeats the sensor and time of an earlier one with
another speed, and one in fifty is broken. Their field `n`, which ingest does not know and ignores,
makes every value unique.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from confluent_kafka import KafkaError, Message, Producer

from traffic_platform.settings import Settings

_START = datetime(2025, 10, 4, 12, tzinfo=UTC)
_SENSORS = 50


@dataclass(frozen=True)
class Sent:
    """A message that the broker acknowledged."""

    partition: int
    offset: int
    value: bytes


def events(first: int = 0) -> Iterator[bytes]:
    """Yield numbered events without end, always the same for the same `first`."""
    chance = random.Random(first)
    for number in itertools.count(first):
        slot = number
        if number > first and chance.random() < 0.02:
            slot = chance.randrange(first, number)
        if chance.random() < 0.02:
            yield f'{{"n": {number}, "sensor_id": "s1", "timest'.encode()
        else:
            yield _event(number, slot, chance)


def _event(number: int, slot: int, chance: random.Random) -> bytes:
    minute = timedelta(minutes=slot // _SENSORS)
    speed, volume = chance.randint(300, 700) / 10, chance.randint(60, 2400)
    body: dict[str, object] = {
        "n": number,
        "sensor_id": f"s{slot % _SENSORS}",
        "timestamp": (_START + minute).isoformat(),
    }
    if chance.random() < 0.5:
        body |= {"speed": speed, "volume": volume, "occupancy": 7.5}
    else:
        body["traffic_data"] = {"speed_mph": speed, "volume_vehicles_per_hour": volume}
    return json.dumps(body).encode()


class Feed:
    """A producer that sends events at a rate until it is stopped, and survives a broker's outage.

    It is idempotent: a message that a broker stores just before it is killed, and that the producer
    sends again, is stored once.
    """

    def __init__(self, settings: Settings, rate: float) -> None:
        self._producer = Producer(
            {
                **settings.kafka_config(),
                "enable.idempotence": True,
                "linger.ms": 5,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._topic = settings.raw_topic
        self._rate = rate
        self._stopping = threading.Event()
        self._sent: list[Sent] = []
        self._errors: list[KafkaError] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def acknowledged(self) -> int:
        """Number of messages that the broker has acknowledged."""
        return len(self._sent)

    def stop(self) -> list[Sent]:
        """Stop sending, and return all messages, each acknowledged by the broker."""
        self._stopping.set()
        self._thread.join()
        left = self._producer.flush(60)
        assert left == 0, f"{left} messages were not acknowledged"
        assert not self._errors, self._errors[0]
        return list(self._sent)

    def abandon(self) -> None:
        """Stop sending, and discard queued messages."""
        self._stopping.set()
        self._thread.join()
        self._producer.purge()

    def _run(self) -> None:
        started = time.monotonic()
        for number, value in enumerate(events()):
            if self._stopping.is_set():
                return
            self._producer.produce(self._topic, value, on_delivery=self._delivered)
            self._producer.poll(0)
            ahead = started + number / self._rate - time.monotonic()
            if ahead > 0.01:
                self._stopping.wait(ahead)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._errors.append(error)
        else:
            self._sent.append(_sent(message))


def send(
    settings: Settings,
    count: int,
    *,
    first: int = 0,
    partition: int | None = None,
    padding: int = 0,
    batch: int | None = None,
) -> list[Sent]:
    """Send `count` events from number `first` on, and return when the broker has them.

    `padding` adds as many bytes to each; `batch` makes the broker store them in record batches of
    that many messages.
    """
    producer = Producer({**settings.kafka_config(), "linger.ms": 5, "log_level": 0})
    sent: list[Sent] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        sent.append(_sent(message))

    to = -1 if partition is None else partition  # -1: the producer chooses
    for number, value in enumerate(itertools.islice(events(first), count), 1):
        producer.produce(
            settings.raw_topic, value + b" " * padding, partition=to, on_delivery=delivered
        )
        producer.poll(0)
        if batch is not None and number % batch == 0:
            assert producer.flush(30) == 0
    assert producer.flush(60) == 0
    assert len(sent) == count
    return sent


def _sent(message: Message) -> Sent:
    partition, offset, value = message.partition(), message.offset(), message.value()
    assert partition is not None
    assert offset is not None
    assert value is not None
    return Sent(partition, offset, value)
