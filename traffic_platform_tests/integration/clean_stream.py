"""A reader of topics that works as a plain `read_committed` consumer."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

from traffic_platform.kafka.admin import Broker
from traffic_platform.settings import Settings


@dataclass(frozen=True)
class Published:
    """A message as the consumer read it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def read_published(settings: Settings, topic: str) -> list[Published]:
    """Return all messages up to the `read_committed` end of each partition, in order."""
    described = Broker(settings.kafka_config()).describe(topic)
    assert described is not None
    consumer = Consumer(
        {
            **settings.kafka_config(),
            "group.id": f"{topic}-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    found: list[Published] = []
    try:
        consumer.assign([TopicPartition(topic, p, 0) for p in described.partitions])
        ended: set[int] = set()
        while ended != set(described.partitions):
            [message] = consumer.consume(1, 30)
            if message.error() is not None:
                ended.add(message.partition() or 0)
                continue
            found.append(
                Published(
                    message.partition() or 0,
                    message.offset() or 0,
                    message.key(),
                    message.value(),
                    message.headers() or [],  # pyright: ignore[reportArgumentType]
                )
            )
    finally:
        consumer.close()
    return sorted(found, key=lambda message: (message.partition, message.offset))
