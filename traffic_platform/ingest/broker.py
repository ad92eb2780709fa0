"""What Kafka says of itself: identity of cluster and topic, ends of logs, leader epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._topic import TopicDescription

_EARLIEST = cast("OffsetSpec", OffsetSpec.earliest())
_LATEST = cast("OffsetSpec", OffsetSpec.latest())

REQUEST_TIMEOUT = 10.0  # seconds; a broker that does not answer in this time counts as away


@dataclass(frozen=True)
class LogEnds:
    """First offset of a partition's log and the end that `read_committed` consumers reach."""

    low: int
    end: int


@dataclass(frozen=True)
class BrokerTopic:
    """A topic as the broker describes it. `partitions` maps partition number to its log's ends."""

    name: str
    topic_id: str
    cluster_id: str
    partitions: dict[int, LogEnds]


class Broker:
    """Questions to the cluster, over one connection."""

    def __init__(self, kafka_config: dict[str, str]) -> None:
        self._config = kafka_config
        self._admin = AdminClient({**kafka_config, "socket.timeout.ms": "10000", "log_level": "2"})
        self._cluster_id: str | None = None

    def cluster_id(self) -> str:
        """Identity of the cluster. Raises KafkaException when no broker answers."""
        if self._cluster_id is None:
            future = self._admin.describe_cluster(request_timeout=REQUEST_TIMEOUT)
            self._cluster_id = str(future.result(timeout=REQUEST_TIMEOUT + 1).cluster_id)
        return self._cluster_id

    def topic_id(self, name: str) -> str | None:
        """Kafka's identity of the topic now, None when there is no such topic."""
        description = self._describe(name)
        return str(description.topic_id) if description else None

    def describe(self, name: str) -> BrokerTopic | None:
        """The topic with the ends of all its logs, None when there is no such topic."""
        description = self._describe(name)
        if description is None:
            return None
        partitions = sorted(partition.id for partition in description.partitions)
        low = self._offsets(name, partitions, _EARLIEST)
        end = self._offsets(name, partitions, _LATEST)
        return BrokerTopic(
            name=name,
            topic_id=str(description.topic_id),
            cluster_id=self.cluster_id(),
            partitions={p: LogEnds(low=low[p], end=end[p]) for p in partitions},
        )

    def first_message_after_epoch(
        self, name: str, partition: int, ends: LogEnds, epoch: int | None
    ) -> int | None:
        """Where a truncated log begins to differ: the first message of a later leader epoch.

        Leader epochs never fall along a log, so a binary search finds it; None: there is none.
        Without an epoch the start of the log is returned: reading again repeats messages, but
        loses none.
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

    def _describe(self, name: str) -> TopicDescription | None:
        futures = self._admin.describe_topics(
            TopicCollection([name]), request_timeout=REQUEST_TIMEOUT
        )
        try:
            return futures[name].result(timeout=REQUEST_TIMEOUT + 1)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise

    def _offsets(self, name: str, partitions: list[int], spec: OffsetSpec) -> dict[int, int]:
        futures = self._admin.list_offsets(
            {TopicPartition(name, partition): spec for partition in partitions},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=REQUEST_TIMEOUT,
        )
        return {
            where.partition: future.result(timeout=REQUEST_TIMEOUT + 1).offset
            for where, future in futures.items()
        }


def _next_message(consumer: Consumer) -> tuple[int, int] | None:
    """(offset, leader epoch) of the next message, None at the end of the log."""
    message = consumer.poll(REQUEST_TIMEOUT)
    if message is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    error = message.error()
    if error is None:
        return message.offset() or 0, message.leader_epoch() or 0
    if error.code() == KafkaError._PARTITION_EOF:
        return None
    raise KafkaException(error)
