"""A reader of the messages that Kafka retains, for `verify`, restoring raw and recovery."""

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
from traffic_platform.kafka.consumer import OFFSET_REFUSED

log = logging.getLogger(__name__)

_CONSUME_MESSAGES = 10_000
_CONSUME_SECONDS = 0.2
_SILENCE_SECONDS = 30.0


class LogReader:
    """Read one partition after another from an offset on, as a `read_committed` consumer.

    The reader commits no offsets and joins no group. Every method raises KafkaException when the
    broker is unavailable, TransientError when it sends nothing, PermanentError when we may not
    read.
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
                # With the defaults a reader waits a second at the end of a short partition.
                "fetch.wait.max.ms": 50,
                "fetch.queue.backoff.ms": 10,
                "queued.min.messages": 3 * _CONSUME_MESSAGES,
                "queued.max.messages.kbytes": 32 * 1024,
                "error_cb": _log_error,
                "log_level": 2,
            }
        )
        self._topic, self._partition = "", 0
        self._buffered: list[Message] = []
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
        """Go to offset `first` of a partition."""
        self._topic, self._partition = topic, partition
        self._buffered, self._reached = [], first
        self._dropped = [range(first)]
        self._consumer.assign([TopicPartition(topic, partition, first)])

    def has_dropped(self, offset: int) -> bool:
        """Return True when retention removed the offset, before or during the read."""
        return any(offset in dropped for dropped in self._dropped)

    def read_below(self, end: int) -> Iterator[list[Message]]:
        """Yield the messages from the end of the last call up to, not including, `end`."""
        while True:
            cut = bisect_left(self._buffered, end, key=_offset)
            if cut:
                yield self._buffered[:cut]
            self._buffered = self._buffered[cut:]
            if self._buffered or self._reached >= end:
                return
            self._buffered = self._consume()

    def _consume(self) -> list[Message]:
        deadline = time.monotonic() + _SILENCE_SECONDS
        while time.monotonic() < deadline:
            items = self._consumer.consume(_CONSUME_MESSAGES, _CONSUME_SECONDS)
            for item in items:
                if item.error() is not None:
                    self._apply_report(item)
            messages = [item for item in items if item.error() is None]
            if messages:
                self._reached = max(self._reached, _offset(messages[-1]) + 1)
            if items:
                return messages
        raise TransientError(
            f"Kafka delivered nothing of {self._topic} [{self._partition}] from offset"
            f" {self._reached} on for {_SILENCE_SECONDS:.0f} s. A producer's transaction may be"
            " open; otherwise check the broker's log."
        )

    def _apply_report(self, item: Message) -> None:
        """Move the position beyond transaction markers, or beyond a deleted segment."""
        error = item.error()
        assert error is not None
        if error.code() == KafkaError._PARTITION_EOF:
            self._reached = max(self._reached, _offset(item))
        elif error.code() in OFFSET_REFUSED:
            partition = TopicPartition(self._topic, self._partition)
            low, _ = self._consumer.get_watermark_offsets(partition, timeout=REQUEST_TIMEOUT)
            if low <= self._reached:
                raise KafkaException(error)
            self._dropped.append(range(self._reached, low))
            self._reached = low
            self._consumer.assign([TopicPartition(self._topic, self._partition, low)])
        elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # this reader joins no group
            raise not_allowed(error, "Read", f"topic {self._topic}") or KafkaException(error)


def _log_error(error: KafkaError) -> None:
    log.info("kafka: %s", error)


def is_compacted(kafka_config: dict[str, str], topic: str) -> bool:
    """Return True when Kafka may remove single messages of a topic because of their key."""
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
