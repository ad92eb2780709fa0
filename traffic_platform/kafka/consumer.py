"""The consumer of ingest: polls messages, and turns them into columns with the offsets reached."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from traffic_platform.errors import TopicChangedError, not_allowed
from traffic_platform.interpreter import AT_A_TIME
from traffic_platform.kafka.auth_errors import log_client_error
from traffic_platform.kafka.messages import (
    Fetched,
    PartitionKey,
    Reached,
    broker_times,
    each_of,
    headers_of,
    index_partitions,
    integers,
)

log = logging.getLogger(__name__)

_COMMIT_SECONDS = 5.0  # limit for the last commit to the group
_CLOSE_SECONDS = 10.0  # limit for closing; a commit may take `session.timeout.ms`

OFFSET_REFUSED = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})
"""Errors for a position outside the partition, or of an unknown leader epoch."""
_TOPIC_GONE = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
)


class OffsetRefusedError(TopicChangedError):
    """The broker no longer has the ledger's offset in `topic` and `partition`."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(f"{topic} [{partition}] no longer has the ledger's offset")
        self.topic = topic
        self.partition = partition


class BatchConsumer:
    """A consumer with assigned partitions. The ledger alone decides its positions."""

    def __init__(
        self, kafka_config: dict[str, str], group: str, batch_messages: int, batch_bytes: int
    ) -> None:
        self._group = group
        self._group_error: KafkaError | None = None
        self._commits = 0  # sent, not answered yet
        self._batch_messages = batch_messages
        self._batch_bytes = batch_bytes
        self._message_bytes = 200.0  # running mean, so that a poll asks for one batch at most
        self._next: dict[PartitionKey, int] = {}
        self._consumer = Consumer(
            {
                **kafka_config,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                "fetch.queue.backoff.ms": 10,
                "fetch.error.backoff.ms": 100,
                "queued.min.messages": 3 * batch_messages,
                "queued.max.messages.kbytes": max(1024, batch_bytes // 1024),
                "reconnect.backoff.max.ms": 2000,
                # This consumer joins no group, so this only limits how long a commit waits for the
                # group's coordinator. Closing waits for commits, also for one whose broker died.
                "session.timeout.ms": 6000,
                "socket.timeout.ms": 20_000,
                "socket.keepalive.enable": True,
                "error_cb": log_client_error,
                "on_commit": self._committed,
                "log_level": 2,
            }
        )

    def assign(self, positions: dict[PartitionKey, tuple[int, int | None]]) -> None:
        """Start at (next offset, leader epoch) of each partition."""
        self._next = {key: position for key, (position, _) in positions.items()}
        self._consumer.assign(
            [
                TopicPartition(topic, partition, offset)
                if epoch is None
                else TopicPartition(topic, partition, offset, leader_epoch=epoch)
                for (topic, partition), (offset, epoch) in positions.items()
            ]
        )

    def poll(self, linger_seconds: float) -> list[Message]:
        """Return up to a batch of messages; wait at most `linger_seconds` for the batch to fill."""
        wanted = max(1, min(self._batch_messages, int(self._batch_bytes / self._message_bytes)))
        until = time.monotonic() + linger_seconds
        messages: list[Message] = []
        while len(messages) < wanted:
            number = min(wanted - len(messages), AT_A_TIME)
            polled = self._consumer.consume(number, max(0.0, until - time.monotonic()))
            messages += polled
            if len(polled) < number:
                break
        return messages

    def columns(self, messages: list[Message]) -> Iterator[Fetched]:
        """Turn messages into batches of at most `batch_bytes`, and empty `messages` at the end.

        The broker reports errors in place of messages: OffsetRefusedError, TopicChangedError,
        PermanentError (we may not read) or KafkaException. They are raised after the messages were
        yielded, because Kafka may not deliver these messages a second time.
        """
        delivered, ends, failure = messages, {}, None
        if any(map(Message.error, messages)):
            delivered = [message for message in messages if message.error() is None]
            reports = [message for message in messages if message.error() is not None]
            self._check_group_access(reports)
            ends, failure = _reports(reports)
        keys = each_of(Message.key, delivered)
        total = sum(map(len, delivered)) + sum(map(len, filter(None, keys)))
        if delivered:
            mean = total / len(delivered)
            self._message_bytes = max(self._message_bytes * 0.9 + mean * 0.1, mean)
        cuts = [0, len(delivered)] if delivered else []
        if total > self._batch_bytes:
            sizes = [len(m) + len(key or b"") for m, key in zip(delivered, keys, strict=True)]
            cuts = _cuts(sizes, self._batch_bytes)
        for index, (start, stop) in enumerate(pairwise(cuts)):
            last = index == len(cuts) - 2
            yield self._columns(delivered[start:stop], keys[start:stop], ends if last else {})
        if not delivered and ends:
            yield self._columns([], [], ends)
        del delivered
        while messages:
            del messages[-AT_A_TIME:]
        if failure is not None:
            raise failure

    def commit_to_group(self, positions: dict[PartitionKey, int], *, wait: bool) -> None:
        """Commit the ledger's offsets to the Kafka group, for lag tools; log a failure.

        With `wait`, await Kafka's answer, and poll nothing afterwards. Raises PermanentError when
        we may not use the group.
        """
        offsets = [TopicPartition(topic, p, offset) for (topic, p), offset in positions.items()]
        if offsets and self._group_error is None:
            try:
                self._consumer.commit(offsets=offsets, asynchronous=True)
                self._commits += 1
            except KafkaException as error:
                log.info("the group's offsets were not committed: %s", error)
        if wait:
            self._await_commits()

    def _await_commits(self) -> None:
        # A synchronous commit does not report that we may not use the group.
        self._consumer.unassign()
        until = time.monotonic() + _COMMIT_SECONDS
        while self._commits and self._group_error is None and time.monotonic() < until:
            self._check_group_access(self._consumer.consume(1, 0.05))
        refused = not_allowed(self._group_error, "Read", f"group {self._group}")
        if refused is not None:
            raise refused

    def _check_group_access(self, messages: Sequence[Message]) -> None:
        for message in messages:
            error = message.error()
            if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                self._deny_group(error)

    def _committed(self, error: KafkaError | None, _offsets: list[TopicPartition]) -> None:
        self._commits = max(0, self._commits - 1)
        if error is None:
            self._group_error = None
        elif error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            self._deny_group(error)
        else:
            log.info("the group's offsets were not committed: %s", error)

    def _deny_group(self, error: KafkaError) -> None:
        if self._group_error is None:
            log.warning("Kafka denies access to group %s; ingest continues", self._group)
        self._group_error = error

    def close(self) -> None:
        """Close the consumer. It joined no group, so this is quick while Kafka answers.

        librdkafka (its issue 3740) awaits the answer to the last commit without end while Kafka
        rejects the client. Then a daemon thread goes on closing until Kafka accepts the client or
        the process ends.
        """
        closing = threading.Thread(target=self._consumer.close, name="traffic-close", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)
        if closing.is_alive():
            log.info("the Kafka client continues to close in the background")

    def _columns(
        self, messages: Sequence[Message], keys: list[bytes | None], ends: dict[PartitionKey, int]
    ) -> Fetched:
        partition_keys, key_index = index_partitions(messages)
        offset = integers(each_of(Message.offset, messages), len(messages))
        reached = self._reached(messages, partition_keys, key_index, offset, ends)
        self._next |= {key: mark.next_offset for key, mark in reached.items()}
        return Fetched(
            partition_keys=partition_keys,
            key_index=key_index,
            offset=offset,
            broker_us=broker_times(messages),
            keys=keys,
            values=each_of(Message.value, messages),
            headers=headers_of(messages),
            reached=reached,
        )

    def _reached(
        self,
        messages: Sequence[Message],
        partition_keys: list[PartitionKey],
        key_index: npt.NDArray[np.int64],
        offset: npt.NDArray[np.int64],
        ends: dict[PartitionKey, int],
    ) -> dict[PartitionKey, Reached]:
        reached: dict[PartitionKey, Reached] = {}
        for number, key in enumerate(partition_keys):
            rows = np.flatnonzero(key_index == number)
            offsets = offset[rows]
            if offsets[0] < self._next[key] or (np.diff(offsets) <= 0).any():
                raise TopicChangedError(f"{key[0]} [{key[1]}] delivered an offset twice")
            last = messages[int(rows[-1])]
            reached[key] = Reached(
                next_offset=max(int(offsets[-1]) + 1, ends.get(key, 0)),
                delivered=len(rows),
                leader_epoch=last.leader_epoch(),
                seen_end=self._seen_end(key),
            )
        for key, end in ends.items():
            if key not in reached and end > self._next[key]:
                reached[key] = Reached(end, 0, None, self._seen_end(key))
        return reached

    def _seen_end(self, key: PartitionKey) -> int | None:
        try:
            _, high = self._consumer.get_watermark_offsets(TopicPartition(*key), cached=True)
        except KafkaException:
            return None
        return high if high >= 0 else None


def _reports(messages: Sequence[Message]) -> tuple[dict[PartitionKey, int], Exception | None]:
    """Return the partition ends and the first failure that the broker reports among messages."""
    ends: dict[PartitionKey, int] = {}
    failure: Exception | None = None
    for message in messages:
        error = message.error()
        if error is None:
            continue
        topic, partition = message.topic() or "", message.partition() or 0
        if error.code() == KafkaError._PARTITION_EOF:
            ends[topic, partition] = message.offset() or 0
        elif error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            continue  # polling does not need the group
        elif failure is None:
            failure = _failure(error, topic, partition)
    return ends, failure


def _failure(error: KafkaError, topic: str, partition: int) -> Exception:
    if error.code() in OFFSET_REFUSED:
        return OffsetRefusedError(topic, partition)
    if error.code() in _TOPIC_GONE:
        return TopicChangedError(f"{topic} [{partition}] no longer exists")
    return not_allowed(error, "Read", f"topic {topic}") or KafkaException(error)


def _cuts(sizes: Sequence[int], limit: int) -> list[int]:
    """Return boundaries that split messages into batches of `limit` bytes or one message."""
    cuts, total = [0], 0
    for index, size in enumerate(sizes):
        if total + size > limit and index > cuts[-1]:
            cuts.append(index)
            total = 0
        total += size
    return [*cuts, len(sizes)]
