"""Messages that Kafka still holds, one log after another, as proofs and recoveries read them."""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
    ResourceType,  # pyright: ignore[reportPrivateImportUsage]
)

from traffic_platform.errors import TransientError, not_allowed
from traffic_platform.kafka.admin import REQUEST_TIMEOUT

log = logging.getLogger(__name__)

_CONSUME_MESSAGES = 10_000
_CONSUME_SECONDS = 0.2
_SILENCE_SECONDS = 30.0
_OFFSET_REFUSED = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})


class LogReader:
    """Reads partitions of Kafka from an offset on, as a `read_committed` consumer sees them.

    Commits no offset and joins no group. Every method raises KafkaException when the broker is
    away, TransientError when it stays silent, PermanentError when it does not let us read.
    """

    def __init__(self, kafka_config: dict[str, str], group: str) -> None:
        self._consumer = Consumer(
            {
                **kafka_config,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                # By default a short log keeps its reader waiting for a second.
                "fetch.wait.max.ms": 50,
                "fetch.queue.backoff.ms": 10,
                "queued.min.messages": 3 * _CONSUME_MESSAGES,
                "queued.max.messages.kbytes": 32 * 1024,
                "error_cb": _log_error,
                "log_level": 2,
            }
        )
        self._topic, self._partition = "", 0
        self._held: list[Message] = []
        self._reached = 0
        self._dropped: list[range] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def seek(self, topic: str, partition: int, first: int) -> None:
        """Go to offset `first` of a log."""
        self._topic, self._partition = topic, partition
        self._held, self._reached = [], first
        self._dropped = [range(first)]
        self._consumer.assign([TopicPartition(topic, partition, first)])

    def has_dropped(self, offset: int) -> bool:
        """Whether retention took the offset, before or while it was read."""
        return any(offset in dropped for dropped in self._dropped)

    def read_below(self, end: int) -> Iterator[list[Message]]:
        """The messages from where the last call ended up to, not including, offset `end`."""
        while True:
            cut = bisect_left(self._held, end, key=_offset)
            if cut:
                yield self._held[:cut]
            self._held = self._held[cut:]
            if self._held or self._reached >= end:
                return
            self._held = self._consume()

    def _consume(self) -> list[Message]:
        deadline = time.monotonic() + _SILENCE_SECONDS
        while time.monotonic() < deadline:
            items = self._consumer.consume(_CONSUME_MESSAGES, _CONSUME_SECONDS)
            for item in items:
                if item.error() is not None:
                    self._heed(item)
            messages = [item for item in items if item.error() is None]
            if messages:
                self._reached = max(self._reached, _offset(messages[-1]) + 1)
            if items:
                return messages
        raise TransientError(
            f"Kafka delivered nothing of {self._topic} [{self._partition}] from offset"
            f" {self._reached} on for {_SILENCE_SECONDS:.0f} s. Some producer's transaction may be"
            " open; else look at the broker's log."
        )

    def _heed(self, item: Message) -> None:
        """An end moves the position beyond markers, a deleted segment beyond what it held."""
        error = item.error()
        assert error is not None
        if error.code() == KafkaError._PARTITION_EOF:
            self._reached = max(self._reached, _offset(item))
        elif error.code() in _OFFSET_REFUSED:
            where = TopicPartition(self._topic, self._partition)
            low, _ = self._consumer.get_watermark_offsets(where, timeout=REQUEST_TIMEOUT)
            if low <= self._reached:
                raise KafkaException(error)
            self._dropped.append(range(self._reached, low))
            self._reached = low
            self._consumer.assign([TopicPartition(self._topic, self._partition, low)])
        elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # it is in no group
            raise not_allowed(error, "Read", f"topic {self._topic}") or KafkaException(error)


def _log_error(error: KafkaError) -> None:
    log.info("kafka: %s", error)


def is_compacted(kafka_config: dict[str, str], topic: str) -> bool:
    """Whether Kafka may drop single messages of a topic, superseded by their key."""
    admin = AdminClient({**kafka_config, "log_level": "2"})
    resource = ConfigResource(ResourceType.TOPIC, topic)
    future = admin.describe_configs([resource], request_timeout=REQUEST_TIMEOUT)[resource]
    try:
        policy = future.result(timeout=REQUEST_TIMEOUT + 1)["cleanup.policy"].value
    except KafkaException as error:
        raise not_allowed(error.args[0], "DescribeConfigs", f"topic {topic}") or error from error
    return "compact" in str(policy)


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None
    return offset
