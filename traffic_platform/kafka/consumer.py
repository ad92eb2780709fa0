"""Messages from Kafka as columns, with the offsets up to which they account for each partition."""

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
    integers,
    places_of,
)

log = logging.getLogger(__name__)

_COMMIT_SECONDS = 5.0  # how long the last commit to the group may take
_CLOSE_SECONDS = 10.0  # how long closing is waited for; a commit may take `session.timeout.ms`

_OFFSET_REFUSED = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})
_TOPIC_GONE = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
)


class OffsetRefusedError(TopicChangedError):
    """The broker does not have the position that the ledger names; `partition` says where."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(f"{topic} [{partition}] does not have the ledger's offset any more")
        self.topic = topic
        self.partition = partition


class BatchConsumer:
    """A consumer with assigned partitions, positioned by the ledger alone."""

    def __init__(
        self, kafka_config: dict[str, str], group: str, batch_messages: int, batch_bytes: int
    ) -> None:
        self._group = group
        self._group_refusal: KafkaError | None = None
        self._commits = 0  # not answered yet
        self._batch_messages = batch_messages
        self._batch_bytes = batch_bytes
        self._message_bytes = 200.0  # running mean, to ask for no more than a batch may hold
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
                # In no group, this is only how long a commit waits for the group's coordinator; a
                # close waits for commits, also for one that was sent to a broker that went away.
                "session.timeout.ms": 6000,
                "socket.timeout.ms": 20_000,
                "socket.keepalive.enable": True,
                "error_cb": log_client_error,
                "on_commit": self._committed,
                "log_level": 2,
            }
        )

    def assign(self, positions: dict[PartitionKey, tuple[int, int | None]]) -> None:
        """Begin at (next offset, leader epoch) of each partition."""
        self._next = {where: position for where, (position, _) in positions.items()}
        self._consumer.assign(
            [
                TopicPartition(topic, partition, offset)
                if epoch is None
                else TopicPartition(topic, partition, offset, leader_epoch=epoch)
                for (topic, partition), (offset, epoch) in positions.items()
            ]
        )

    def fetch(self, linger_seconds: float) -> list[Message]:
        """Up to a batch of messages, waiting at most `linger_seconds` for it to fill."""
        wanted = max(1, min(self._batch_messages, int(self._batch_bytes / self._message_bytes)))
        until = time.monotonic() + linger_seconds
        messages: list[Message] = []
        while len(messages) < wanted:
            some = min(wanted - len(messages), AT_A_TIME)
            came = self._consumer.consume(some, max(0.0, until - time.monotonic()))
            messages += came
            if len(came) < some:
                break
        return messages

    def columns(self, messages: list[Message]) -> Iterator[Fetched]:
        """Turn messages into batches of at most `batch_bytes`; empties `messages` at the end.

        Raises OffsetRefusedError, TopicChangedError, PermanentError (we may not read) or
        KafkaException for what the broker reports in place of messages, after the messages: they
        may not be there to be fetched again.
        """
        delivered, ends, failure = messages, {}, None
        if any(map(Message.error, messages)):
            delivered = [message for message in messages if message.error() is None]
            reports = [message for message in messages if message.error() is not None]
            self._hear_of_group(reports)
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
        """Tell Kafka how far the ledger is, for lag tools. Failure is logged.

        `wait`: until Kafka has heard it. Nothing is fetched afterwards; raises PermanentError when
        Kafka does not let us use the group.
        """
        offsets = [TopicPartition(topic, p, offset) for (topic, p), offset in positions.items()]
        if offsets and self._group_refusal is None:
            try:
                self._consumer.commit(offsets=offsets, asynchronous=True)
                self._commits += 1
            except KafkaException as error:
                log.info("the group's offsets were not committed: %s", error)
        if wait:
            self._await_commits()

    def _await_commits(self) -> None:
        # A commit that waits by itself does not hear that the group may not be used.
        self._consumer.unassign()
        until = time.monotonic() + _COMMIT_SECONDS
        while self._commits and self._group_refusal is None and time.monotonic() < until:
            self._hear_of_group(self._consumer.consume(1, 0.05))
        refused = not_allowed(self._group_refusal, "Read", f"group {self._group}")
        if refused is not None:
            raise refused

    def _hear_of_group(self, messages: Sequence[Message]) -> None:
        for message in messages:
            error = message.error()
            if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                self._refuse_group(error)

    def _committed(self, error: KafkaError | None, _offsets: list[TopicPartition]) -> None:
        self._commits = max(0, self._commits - 1)
        if error is None:
            self._group_refusal = None
        elif error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            self._refuse_group(error)
        else:
            log.info("the group's offsets were not committed: %s", error)

    def _refuse_group(self, error: KafkaError) -> None:
        if self._group_refusal is None:
            log.warning("Kafka does not let us use group %s; storing goes on", self._group)
        self._group_refusal = error

    def close(self) -> None:
        """Leave. The consumer holds no place in a group, so this is quick, unless Kafka is away.

        librdkafka (its issue 3740) asks without end for an answer to the last commit while Kafka
        does not let us in. Then a thread of its own goes on closing, until Kafka does or the
        process ends, and keeps nobody waiting.
        """
        closing = threading.Thread(target=self._consumer.close, name="traffic-close", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)
        if closing.is_alive():
            log.info("Kafka's client goes on closing by itself")

    def _columns(
        self, messages: Sequence[Message], keys: list[bytes | None], ends: dict[PartitionKey, int]
    ) -> Fetched:
        places, place = places_of(messages)
        offset = integers(each_of(Message.offset, messages), len(messages))
        reached = self._reached(messages, places, place, offset, ends)
        for where, mark in reached.items():
            self._next[where] = mark.next_offset
        return Fetched(
            places=places,
            place=place,
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
        places: list[PartitionKey],
        place: npt.NDArray[np.int64],
        offset: npt.NDArray[np.int64],
        ends: dict[PartitionKey, int],
    ) -> dict[PartitionKey, Reached]:
        reached: dict[PartitionKey, Reached] = {}
        for number, where in enumerate(places):
            rows = np.flatnonzero(place == number)
            offsets = offset[rows]
            if offsets[0] < self._next[where] or (np.diff(offsets) <= 0).any():
                raise TopicChangedError(f"{where[0]} [{where[1]}] delivered an offset twice")
            last = messages[int(rows[-1])]
            reached[where] = Reached(
                next_offset=max(int(offsets[-1]) + 1, ends.get(where, 0)),
                delivered=len(rows),
                leader_epoch=last.leader_epoch(),
                seen_end=self._seen_end(where),
            )
        for where, end in ends.items():
            if where not in reached and end > self._next[where]:
                reached[where] = Reached(end, 0, None, self._seen_end(where))
        return reached

    def _seen_end(self, place: PartitionKey) -> int | None:
        try:
            _, high = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        except KafkaException:
            return None
        return high if high >= 0 else None


def _reports(messages: Sequence[Message]) -> tuple[dict[PartitionKey, int], Exception | None]:
    """What stands between the messages: ends of partitions reached, and the first failure."""
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
            continue  # of the group, which fetching does not need
        elif failure is None:
            failure = _failure(error, topic, partition)
    return ends, failure


def _failure(error: KafkaError, topic: str, partition: int) -> Exception:
    if error.code() in _OFFSET_REFUSED:
        return OffsetRefusedError(topic, partition)
    if error.code() in _TOPIC_GONE:
        return TopicChangedError(f"{topic} [{partition}] is not there any more")
    return not_allowed(error, "Read", f"topic {topic}") or KafkaException(error)


def _cuts(sizes: Sequence[int], limit: int) -> list[int]:
    """Boundaries that split messages into runs of at most `limit` bytes (at least one each)."""
    cuts, total = [0], 0
    for index, size in enumerate(sizes):
        if total + size > limit and index > cuts[-1]:
            cuts.append(index)
            total = 0
        total += size
    return [*cuts, len(sizes)]
