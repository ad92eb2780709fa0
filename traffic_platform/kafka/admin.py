"""Requests to the cluster: identities of cluster and topics, partition ends, leader epochs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclOperation,  # pyright: ignore[reportPrivateImportUsage]
    AdminClient,
)
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._topic import TopicDescription

from traffic_platform.errors import (
    PermanentError,
    TopicChangedError,
    missing_right,
    not_allowed,
    translate,
)
from traffic_platform.kafka.auth_errors import AuthErrors

_EARLIEST = cast("OffsetSpec", OffsetSpec.earliest())
_LATEST = cast("OffsetSpec", OffsetSpec.latest())

REQUEST_TIMEOUT = 10.0  # seconds; a broker that does not answer in this time is unavailable
_LISTEN_SECONDS = 0.05  # interval at which the client's error callback runs during a request
_DESCRIBE = "Describe (Read and Write include it)"
# The client asked a broker that no longer leads the partition, or does not lead it yet.
_LEADER_CHANGED = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)

_T = TypeVar("_T")


@dataclass(frozen=True)
class PartitionEnds:
    """First offset of a partition, and the end that `read_committed` consumers reach."""

    low: int
    end: int


@dataclass(frozen=True)
class BrokerTopic:
    """A topic as the broker describes it. `partitions` maps partition numbers to their ends."""

    name: str
    topic_id: str
    cluster_id: str
    partitions: dict[int, PartitionEnds]


class Broker:
    """Requests to the cluster, over one connection.

    Every method raises TransientError when no broker answers within `seconds`, RefusedError when
    Kafka rejects the client, PermanentError for a missing right, else KafkaException.
    """

    def __init__(self, kafka_config: dict[str, str], seconds: float = REQUEST_TIMEOUT) -> None:
        self._config = kafka_config
        self._seconds = seconds
        self._auth_errors = AuthErrors(kafka_config)
        client: dict[str, Any] = {
            **kafka_config,
            "socket.timeout.ms": 10_000,
            "log_level": 2,
            "error_cb": self._auth_errors.note,
        }
        self._admin = AdminClient(client)
        self._cluster_id: str | None = None

    def close(self) -> None:
        """Free the client at once. No method may be called afterwards."""
        self._admin.__exit__(None, None, None)

    def cluster_id(self) -> str:
        """Return Kafka's id of the cluster."""
        if self._cluster_id is None:
            future = self._admin.describe_cluster(request_timeout=self._seconds)
            self._cluster_id = str(self._answer(future).cluster_id)
        return self._cluster_id

    def topic_id(self, name: str) -> str | None:
        """Return Kafka's current id of the topic, None when the topic does not exist."""
        return self._topic_id(name, self._ask(name))

    def ask_whether_same(self, identities: Mapping[str, str]) -> Callable[[], None]:
        """Ask Kafka whether topics still have these ids. The function returned awaits the answer.

        It raises TopicChangedError for a topic with another id: a client silently continues with a
        topic that was deleted and recreated. Ask before the work and await the answer before the
        commit; then the check costs no time.
        """
        asked = {name: self._ask(name) for name in identities}

        def require_same() -> None:
            for name, answer in asked.items():
                if self._topic_id(name, answer) != identities[name]:
                    raise TopicChangedError(f"topic {name} was deleted or recreated")

        return require_same

    def require_write(self, name: str) -> None:
        """Raise PermanentError when the topic does not exist or we may not write to it.

        A producer would wait for a missing topic, and fail message by message without the right.
        """
        description = self._described(name, self._ask(name, operations=True))
        if description is None:
            raise PermanentError(
                f"Topic {name} does not exist. `traffic up` creates the platform's topics; "
                "create any other topic first."
            )
        operations = description.authorized_operations
        if operations and AclOperation.WRITE not in operations:  # old brokers do not tell
            raise missing_right("Write", f"topic {name}")

    def describe(self, name: str) -> BrokerTopic | None:
        """Return the topic with the ends of all its partitions, None when it does not exist."""
        description = self._described(name, self._ask(name))
        if description is None:
            return None
        partitions = sorted(partition.id for partition in description.partitions)
        low = self._offsets(name, partitions, _EARLIEST)
        end = self._offsets(name, partitions, _LATEST)
        return BrokerTopic(
            name=name,
            topic_id=str(description.topic_id),
            cluster_id=self.cluster_id(),
            partitions={p: PartitionEnds(low=low[p], end=end[p]) for p in partitions},
        )

    def first_message_after_epoch(
        self, name: str, partition: int, ends: PartitionEnds, epoch: int | None
    ) -> int | None:
        """Return the offset of the first message of a later leader epoch, None without one.

        There a truncated partition begins to differ. Leader epochs never decrease along a
        partition, so a binary search finds the offset. Without an `epoch` this returns the start
        of the partition: reading again repeats messages, but loses none.
        """
        if epoch is None:
            return ends.low
        consumer = Consumer(
            {**self._config, "group.id": "traffic-truncation", "enable.auto.commit": False}
            | {"auto.offset.reset": "error", "enable.partition.eof": True}
        )
        try:
            low, high, first = ends.low, ends.end, None
            while low < high:
                middle = (low + high) // 2
                consumer.assign([TopicPartition(name, partition, middle)])
                found = _next_message(consumer)
                if found is not None and found[1] <= epoch:
                    low = found[0] + 1
                else:
                    high = middle
                    first = found[0] if found is not None else first
            return first
        finally:
            consumer.close()

    def _ask(self, name: str, *, operations: bool = False) -> Future[TopicDescription]:
        return self._admin.describe_topics(
            TopicCollection([name]),
            include_authorized_operations=operations,
            request_timeout=self._seconds,
        )[name]

    def _topic_id(self, name: str, answer: Future[TopicDescription]) -> str | None:
        description = self._described(name, answer)
        return str(description.topic_id) if description else None

    def _described(self, name: str, answer: Future[TopicDescription]) -> TopicDescription | None:
        try:
            return self._answer(answer)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise not_allowed(error.args[0], _DESCRIBE, f"topic {name}") or error from error

    def high_watermarks(self, topic: BrokerTopic) -> dict[int, int]:
        """Return the ends of a topic's partitions, uncommitted messages included."""
        return self._offsets(
            topic.name, list(topic.partitions), _LATEST, IsolationLevel.READ_UNCOMMITTED
        )

    def offsets_since(self, name: str, partitions: list[int], time_ms: int) -> dict[int, int]:
        """Return the offset of the first message from a time on, in milliseconds since 1970 UTC.

        A partition without such a message is missing.
        """
        since = cast("OffsetSpec", OffsetSpec.for_timestamp(time_ms))
        found = self._offsets(name, partitions, since, IsolationLevel.READ_UNCOMMITTED)
        return {partition: offset for partition, offset in found.items() if offset >= 0}

    def held_back(self, name: str, ends: dict[int, int], older_than_ms: int) -> dict[int, int]:
        """Return high watermarks of partitions whose `read_committed` end a transaction holds back.

        Only transactions whose first message is older than `older_than_ms` (milliseconds since
        1970 UTC) count, by the timestamp in Kafka: the producer's, where CreateTime is set.
        """
        marks = self._offsets(name, list(ends), _LATEST, IsolationLevel.READ_UNCOMMITTED)
        behind = [partition for partition, end in ends.items() if end < marks[partition]]
        if not behind:
            return {}
        later = self.offsets_since(name, behind, older_than_ms)
        return {p: marks[p] for p in behind if later.get(p, marks[p]) > ends[p]}

    def _offsets(
        self,
        name: str,
        partitions: list[int],
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> dict[int, int]:
        until = time.monotonic() + self._seconds
        while True:
            futures = self._admin.list_offsets(
                {TopicPartition(name, partition): spec for partition in partitions},
                isolation_level=isolation,
                request_timeout=self._seconds,
            )
            try:
                return {p.partition: self._answer(future).offset for p, future in futures.items()}
            except KafkaException as error:
                if error.args[0].code() not in _LEADER_CHANGED or time.monotonic() > until:
                    raise not_allowed(error.args[0], _DESCRIBE, f"topic {name}") or error from error
                self._admin.poll(_LISTEN_SECONDS)  # the client learns the new leader by itself

    def _answer(self, future: Future[_T]) -> _T:
        """Await and return the broker's answer, and collect authentication errors meanwhile."""
        until = time.monotonic() + self._seconds + 1
        while not wait([future], timeout=_LISTEN_SECONDS).done:
            self._admin.poll(0)
            self._auth_errors.check()
            if time.monotonic() > until:  # also after a pause by SIGSTOP
                raise self._auth_errors.silence()
        self._admin.poll(0)
        error = future.exception()
        if isinstance(error, KafkaException) and error.args[0].code() == KafkaError._TIMED_OUT:
            raise self._auth_errors.silence() from error
        self._auth_errors.answered()
        return future.result()


def require_answer(kafka_config: dict[str, str], seconds: float) -> None:
    """Raise TransientError, RefusedError or PermanentError unless Kafka answers in `seconds`."""
    try:
        Broker(kafka_config, seconds).cluster_id()
    except KafkaException as error:
        raise translate(error) or error from error


def _next_message(consumer: Consumer) -> tuple[int, int] | None:
    """Return (offset, leader epoch) of the next message, None at the end of the partition."""
    while (message := consumer.poll(REQUEST_TIMEOUT)) is not None:
        error = message.error()
        if error is None:
            return message.offset() or 0, message.leader_epoch() or 0
        if error.code() == KafkaError._PARTITION_EOF:
            return None
        if error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # this reader joins no group
            raise not_allowed(error, "Read", f"topic {message.topic()}") or KafkaException(error)
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
