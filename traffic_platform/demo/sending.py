"""Sends messages to a topic and counts what arrived."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from traffic_platform.errors import (
    PermanentError,
    TransientError,
    not_allowed,
    translate,
)
from traffic_platform.kafka.admin import Broker
from traffic_platform.settings import Settings

# Messages that wait in this process at most: enough to keep the broker busy, and small enough
# that ctrl-C does not have to wait for long.
_MOST_WAITING = 80_000
_MESSAGE_SECONDS = 60  # a broker that is away for longer makes the message a failed one


class Sender:
    """An idempotent producer for one topic; a context manager that sends the rest at its end.

    Every message is acknowledged by all in-sync replicas, and retries neither double nor reorder
    it. `delivered` and `failed` count messages; they are complete after `finish`.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        """Raises TransientError when no broker answers, PermanentError when we may not send."""
        self.cluster_id = _find_topic(settings, topic)
        self.topic = topic
        self.failed = 0
        self.first_error: str | None = None
        self._accepted = 0
        self._refusal: PermanentError | None = None
        self._producer = Producer(
            {
                **settings.kafka_config(),
                "client.id": "traffic-sender",
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 5,
                "batch.size": 1_000_000,
                # The partitioner of Java's client: a sensor has one partition whoever sends.
                "partitioner": "murmur2_random",
                "message.timeout.ms": _MESSAGE_SECONDS * 1000,
                "delivery.report.only.error": True,
                "log_level": 2,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish()

    @property
    def delivered(self) -> int:
        """Messages that the broker has acknowledged, as far as is known."""
        return self._accepted - self.failed - len(self._producer)

    def send(self, keys: Sequence[bytes], values: Sequence[bytes | None]) -> None:
        """Queue messages; waits while too many are on their way.

        Raises PermanentError when Kafka does not let us write any more.
        """
        if self._refusal is not None:
            raise self._refusal
        while len(self._producer) > _MOST_WAITING:
            self._producer.poll(0.05)
        messages: list[dict[str, Any]] = [
            {"key": key, "value": value} for key, value in zip(keys, values, strict=True)
        ]
        self._accepted += len(messages)
        queued = self._producer.produce_batch(self.topic, messages, on_delivery=self._report)
        if queued < len(messages):
            for message in messages:
                self._count(message.get("_error"))
        self._producer.poll(0)

    def finish(self) -> None:
        """Wait until every message has arrived or failed; a message fails after a minute."""
        while self._producer.flush(1):
            pass

    def require_delivery(self) -> None:
        """Raises TransientError when a message did not arrive."""
        if self.failed:
            raise TransientError(
                f"{self.failed} messages did not reach {self.topic}: {self.first_error}. "
                "Sending them again is harmless."
            )

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        self._count(error)

    def _count(self, error: KafkaError | None) -> None:
        if error is not None:
            self.failed += 1
            self.first_error = self.first_error or error.str()
            self._refusal = self._refusal or not_allowed(error, "Write", f"topic {self.topic}")


def _find_topic(settings: Settings, topic: str) -> str:
    """Identity of the cluster, where the topic is there and ours to write to."""
    try:
        broker = Broker(settings.kafka_config())
        broker.require_write(topic)
        return broker.cluster_id()
    except KafkaException as error:
        raise (translate(error) or error) from error
