"""The events that every benchmark reads: flat, 108 bytes each, from 500 detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

SENSORS = 500
PARTITIONS = 6
INTERVAL = timedelta(seconds=20)
FIRST = datetime(2025, 10, 4, tzinfo=UTC)

_MOST_WAITING = 200_000  # messages that wait in this process at most


def event(sensor: str, timestamp: str, speed: float, volume: int, occupancy: float) -> bytes:
    """A flat event."""
    return (
        f'{{"sensor_id":"{sensor}","timestamp":"{timestamp}",'
        f'"speed":{speed:.2f},"volume":{volume},"occupancy":{occupancy:.2f}}}'
    ).encode()


def intervals(first: int, count: int) -> Iterator[list[bytes]]:
    """The events of `count` intervals, one list of SENSORS events an interval.

    All have the same length, and the same interval has the same events whoever asks.
    """
    names = [f"sensor-{number:04d}" for number in range(SENSORS)]
    for number in range(first, first + count):
        generator = np.random.default_rng(number)
        timestamp = (FIRST + number * INTERVAL).strftime("%Y-%m-%dT%H:%M:%SZ")
        columns = zip(
            names,
            generator.uniform(10, 80, SENSORS).tolist(),
            generator.integers(1000, 2400, SENSORS).tolist(),
            generator.uniform(10, 40, SENSORS).tolist(),
            strict=True,
        )
        yield [event(name, timestamp, *measures) for name, *measures in columns]


def make_topic(bootstrap_servers: str, topic: str) -> None:
    """Create a topic as the platform does: the broker's clock, PARTITIONS partitions."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 2})
    wanted = NewTopic(
        topic, num_partitions=PARTITIONS, config={"message.timestamp.type": "LogAppendTime"}
    )
    admin.create_topics([wanted])[topic].result(timeout=30)


Swap = Callable[[bytes], bytes | None]


def prefill(
    bootstrap_servers: str, topic: str, events: int, swap: Swap | None = None, first: int = 0
) -> int:
    """Make `topic` and fill it. See `fill`."""
    make_topic(bootstrap_servers, topic)
    return fill(bootstrap_servers, topic, events, swap, first)


def fill(
    bootstrap_servers: str, topic: str, events: int, swap: Swap | None = None, first: int = 0
) -> int:
    """Put about `events` events into a topic of PARTITIONS partitions, as many into each.

    A detector keeps its partition. Detectors are dealt out evenly, so that no leg measures the
    tail of the fullest partition. `swap` says what is sent in place of each event, `first` with
    which interval to begin. Returns the number of events, a multiple of SENSORS. Raises
    RuntimeError when one was not acknowledged.
    """
    failures: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    # Uncompressed, so that no consumer pays for a codec of its library.
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 1_000_000,
            "delivery.report.only.error": True,
            "queue.buffering.max.messages": 2 * _MOST_WAITING,
            "log_level": 2,
        }
    )
    keys = [f"{number:04d}".encode() for number in range(SENSORS)]
    count = -(-events // SENSORS)
    for events_of_interval in intervals(first, count):
        values = list(map(swap, events_of_interval)) if swap else events_of_interval
        while len(producer) > _MOST_WAITING:
            producer.poll(0.05)
        for partition in range(PARTITIONS):
            mine = range(partition, SENSORS, PARTITIONS)
            messages = [{"key": keys[number], "value": values[number]} for number in mine]
            producer.produce_batch(topic, messages, partition=partition, on_delivery=report)
        producer.poll(0)
    left = producer.flush(120)
    if left or failures:
        raise RuntimeError(
            f"{left or len(failures)} messages did not reach {topic}: {failures[:1]}"
        )
    return count * SENSORS
