"""The transactional producer that publishes the events of one source partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from traffic_platform.errors import IngestError, TransientError
from traffic_platform.kafka.auth_errors import log_client_error
from traffic_platform.kafka.messages import Headers

TRANSACTIONAL_ID_PREFIX = "traffic-platform-"
_TRANSACTION_MS = 10_000
_REQUEST_SECONDS = 15.0
_POLL_EVERY = 1_000  # messages between two polls for delivery reports
_FENCED = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
    }
)


class FencedError(IngestError):
    """Another publisher of this platform has taken over."""


@dataclass(frozen=True)
class PublishTarget:
    """A partition of a destination topic.

    From `next_offset` on, a publisher that starts searches it for its own messages.
    """

    topic: str
    topic_id: str
    partition: int
    next_offset: int


@dataclass(frozen=True)
class Outgoing:
    """Messages for one partition of a topic, in order."""

    target: PublishTarget
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[Headers]


class TransactionalProducer:
    """Producer of source partition `partition`, with a transactional id of its own.

    Every method raises FencedError when another publisher has taken over the transactional id, and
    KafkaException or TransientError for any other failure. Close the producer after an error.
    """

    def __init__(self, kafka_config: dict[str, str], platform_id: UUID, partition: int) -> None:
        self.partition = partition
        self._reached: dict[tuple[str, int], int] = {}
        self._error: KafkaError | None = None
        self._producer = Producer(
            {
                **kafka_config,
                "transactional.id": f"{TRANSACTIONAL_ID_PREFIX}{platform_id}-{partition}",
                "transaction.timeout.ms": _TRANSACTION_MS,
                "linger.ms": 5,
                "queue.buffering.max.messages": 200_000,
                "error_cb": log_client_error,
                "log_level": 2,
            }
        )

    def take_over(self) -> None:
        """Fence the predecessor: its committed messages stay, its open transaction is aborted."""
        self._guarded(lambda: self._producer.init_transactions(_REQUEST_SECONDS))

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Begin a transaction and send the messages. `commit` makes them visible."""
        self._guarded(lambda: self._produce(outgoing))

    def commit(self) -> dict[tuple[str, int], int]:
        """Commit, and return the offset after the last message by topic and partition."""
        self._guarded(lambda: self._producer.flush(_REQUEST_SECONDS))
        if self._error is not None:
            raise KafkaException(self._error)
        self._guarded(lambda: self._producer.commit_transaction(_REQUEST_SECONDS))
        reached, self._reached = self._reached, {}
        return reached

    def abort(self) -> None:
        """Abort the transaction. Close the producer when this raises."""
        self._guarded(lambda: self._producer.abort_transaction(_REQUEST_SECONDS))

    def close(self) -> None:
        """Free the client at once, also in an outage. No method may be called afterwards.

        An open transaction is aborted by the next `take_over` or by its timeout. The client's own
        `close` would wait for the answer of a broker.
        """
        # Messages in flight hold their callback, and the callback holds the client.
        self._producer.purge()
        self._producer.poll(0)
        del self._producer

    def _produce(self, outgoing: Sequence[Outgoing]) -> None:
        # No local name for the client: the traceback of an error would keep it alive.
        self._producer.begin_transaction()
        for part in outgoing:
            topic, partition = part.target.topic, part.target.partition
            last = len(part.values) - 1
            rows = zip(part.keys, part.values, part.headers, strict=True)
            for number, (key, value, headers) in enumerate(rows):
                report: dict[str, Any] = {}
                if number == last:  # the commit covers the others
                    report = {"on_delivery": self._delivered}
                while True:
                    try:
                        self._producer.produce(
                            topic, value, key, partition, headers=cast("Any", headers), **report
                        )
                        break
                    except BufferError:
                        self._producer.poll(0.1)
                if number % _POLL_EVERY == 0:
                    self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._error = error
            return
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if topic is not None and partition is not None and offset is not None:
            self._reached[topic, partition] = offset + 1

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except KafkaException as error:
            raise self._translated(error) from error
        except SystemError as error:
            # confluent-kafka met a fatal error inside a callback. Its cause is the Kafka error, or
            # is missing ("returned NULL without setting an exception").
            cause = error.__cause__
            raise self._translated(
                cause if isinstance(cause, KafkaException) else self._find_error()
            ) from error

    def _find_error(self) -> Exception:
        """Abort a transaction that failed without a reason, and return the producer's error."""
        try:
            self._producer.abort_transaction(_REQUEST_SECONDS)
        except KafkaException as error:
            return error
        return TransientError("Kafka's client failed without a reason; the transaction was aborted")

    def _translated(self, error: Exception) -> Exception:
        if isinstance(error, KafkaException) and error.args[0].code() in _FENCED:
            return FencedError(f"another publisher has taken over partition {self.partition}")
        return error
