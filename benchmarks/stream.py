"""Events of the benchmarks: flat, 108 bytes each, from 500 detectors."""

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

_MOST_WAITING = 200_000  # messages in the producer's queue


def event(sensor: str, timestamp: str, speed: float, volume: int, occupancy: float) -> bytes:
    """Return a flat event."""
    return (
        f'{{"sensor_id":"{sensor}","timestamp":"{timestamp}",'
        f'"speed":{speed:.2f},"volume":{volume},"occupancy":{occupancy:.2f}}}'
    ).encode()


def intervals(first: int, count: int) -> Iterator[list[bytes]]:
    """Yield the events of `count` intervals, one list of SENSORS events per interval.

    All events have the same length. The number of an interval determines its events.
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
    """Create a topic like the platform, with PARTITIONS partitions and the broker's clock."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 2})
    wanted = NewTopic(
        topic, num_partitions=PARTITIONS, config={"message.timestamp.type": "LogAppendTime"}
    )
    admin.create_topics([wanted])[topic].result(timeout=30)


Swap = Callable[[bytes], bytes | None]


def prefill(
    bootstrap_servers: str, topic: str, events: int, swap: Swap | None = None, first: int = 0
) -> int:
    """Create `topic` and fill it as `fill` does."""
    make_topic(bootstrap_servers, topic)
    return fill(bootstrap_servers, topic, events, swap, first)


def fill(
    bootstrap_servers: str, topic: str, events: int, swap: Swap | None = None, first: int = 0
) -> int:
    """Send about `events` events to a topic with PARTITIONS partitions, as many to each.

    A detector keeps its partition. The detectors are spread evenly, so that no leg measures the
    rest of the fullest partition. `swap` returns the replacement of each event, and `first` is the
    first interval. Returns the number of events, a multiple of SENSORS. Raises RuntimeError when
    Kafka does not acknowledge every event.
    """
    failures: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    # Uncompressed, so that no consumer spends time in its library's codec.
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
            f"Kafka did not acknowledge {left or len(failures)} messages of {topic}: {failures[:1]}"
        )
    return count * SENSORS
