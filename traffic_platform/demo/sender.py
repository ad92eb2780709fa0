"""A producer for one topic that counts the messages that arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from traffic_platform.errors import PermanentError, TransientError, not_allowed, translate
from traffic_platform.kafka.admin import Broker
from traffic_platform.settings import Settings

# Most messages that wait in this process: enough to keep the broker busy, and few enough for a
# quick end after ctrl-C.
_MOST_WAITING = 80_000
_MESSAGE_SECONDS = 60  # a message fails when the broker does not answer for this long


class Sender:
    """An idempotent producer for one topic. As a context manager it finishes at its end.

    All in-sync replicas acknowledge every message, and retries neither duplicate nor reorder it.
    `delivered` and `failed` count messages, and are complete after `finish`.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        """Raise TransientError when no broker answers, PermanentError when we may not send."""
        self.cluster_id = _find_topic(settings, topic)
        self.topic = topic
        self.failed = 0
        self.first_error: str | None = None
        self._accepted = 0
        self._rejection: PermanentError | None = None
        self._producer = Producer(
            {
                **settings.kafka_config(),
                "client.id": "traffic-sender",
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 5,
                "batch.size": 1_000_000,
                # Java's partitioner, so that all producers agree on a sensor's partition.
                "partitioner": "murmur2_random",
                "message.timeout.ms": _MESSAGE_SECONDS * 1000,
                "delivery.report.only.error": True,
                "log_level": 2,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.finish()

    @property
    def delivered(self) -> int:
        """Number of messages that the broker is known to have acknowledged."""
        return self._accepted - self.failed - len(self._producer)

    def send(self, keys: Sequence[bytes], values: Sequence[bytes | None]) -> None:
        """Queue messages, and wait while too many are on their way.

        Raises PermanentError when Kafka no longer allows us to write.
        """
        if self._rejection is not None:
            raise self._rejection
        while len(self._producer) > _MOST_WAITING:
            self._producer.poll(0.05)
        messages: list[dict[str, Any]] = [
            {"key": key, "value": value} for key, value in zip(keys, values, strict=True)
        ]
        self._accepted += len(messages)
        queued = self._producer.produce_batch(self.topic, messages, on_delivery=self._count)
        if queued < len(messages):
            for message in messages:
                self._count(message.get("_error"))
        self._producer.poll(0)

    def finish(self) -> None:
        """Wait until every message has arrived or failed. A message fails after a minute."""
        while self._producer.flush(1):
            pass

    def require_delivery(self) -> None:
        """Raise TransientError when a message did not arrive."""
        if self.failed:
            raise TransientError(
                f"{self.failed} messages did not reach {self.topic}: {self.first_error}. "
                "Sending them again is harmless."
            )

    def _count(self, error: KafkaError | None, _message: Message | None = None) -> None:
        if error is not None:
            self.failed += 1
            self.first_error = self.first_error or error.str()
            self._rejection = self._rejection or not_allowed(error, "Write", f"topic {self.topic}")


def _find_topic(settings: Settings, topic: str) -> str:
    """Return the id of the cluster. Raises an error when we cannot write to the topic."""
    try:
        broker = Broker(settings.kafka_config())
        broker.require_write(topic)
        return broker.cluster_id()
    except KafkaException as error:
        raise (translate(error) or error) from error
