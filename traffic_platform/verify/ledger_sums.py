"""Sums of the ledger, its audit rows and its losses, and Kafka's offsets beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement
from traffic_platform.verify.snapshot import differences
from traffic_platform.verify.verify_report import Finding, GenerationState, StaleRules, VerifyReport


@dataclass(frozen=True)
class PartitionGeneration:
    """A row of the ledger, with the identity of its Kafka topic.

    `raw` is the number of stored messages by its audit rows. `succeeded` is True if the ledger has
    a later generation of the same partition.
    """

    topic_no: int
    partition: int
    topic: str
    start_offset: int
    next_offset: int
    active: bool
    name: str
    kafka_topic_id: str
    cluster_id: str
    raw: int
    succeeded: bool

    @property
    def key(self) -> dict[str, Any]:
        """The key in `kafka_offsets`, with the topic's name for people."""
        return {"topic": self.topic, **self.numbers}

    @property
    def numbers(self) -> dict[str, int]:
        """The topic_no and the partition, by which tables name the generation."""
        return {"topic_no": self.topic_no, "partition": self.partition}


def read_generations(connection: Connection) -> list[PartitionGeneration]:
    """Return all partition generations of the ledger, in the order of their keys."""
    rows = connection.execute(statement("verify/logs")).fetchall()
    return [PartitionGeneration(*row) for row in rows]


def read_stale(connection: Connection, rules_version: str) -> list[StaleRules]:
    """Return the batches that other rules than `rules_version` decided, by version."""
    rows = connection.execute(statement("verify/stale"), {"rules_version": rules_version})
    return [StaleRules(*row) for row in rows.fetchall()]


def check_ledger(connection: Connection, report: VerifyReport) -> None:
    """Check that ranges tile the ledger, that audit rows add up, and that no message was lost."""
    checks: tuple[tuple[str, LiteralString], ...] = (
        ("audit rows and lost ranges tile the ledger", "verify/ledger_ranges"),
        ("the ledger has the names of its topics", "verify/ledger_names"),
        ("each audit row adds up", "verify/audit_sums"),
        ("compacted audit rows do not overlap", "verify/folds"),
        ("dropped rows add up", "verify/dropped_sums"),
        ("no message was lost before it was read", "verify/losses"),
    )
    for name, sql in checks:
        with report.check(name):
            report.add(differences(connection, sql, report.room + 1))
    report.acknowledged_losses = _acknowledged_losses(connection)


def _acknowledged_losses(connection: Connection) -> int:
    row = connection.execute(statement("verify/acknowledged_losses")).fetchone()
    assert row is not None
    return row[0]


def describe_topics(broker: Broker, names: set[str]) -> dict[str, BrokerTopic | None]:
    """Return Kafka's description of each topic, None where the topic is missing."""
    return {name: broker.describe(name) for name in sorted(names)}


def generation_states(
    generations: list[PartitionGeneration], topics: dict[str, BrokerTopic | None]
) -> list[GenerationState]:
    """Return the offsets of ledger and Kafka side by side, with the lag of each partition."""
    active = {(item.topic, item.partition): item for item in generations if item.active}
    partitions = set(active) | {
        (name, partition)
        for name, topic in topics.items()
        if topic
        for partition in topic.partitions
    }
    return [_state(key, active.get(key), topics.get(key[0])) for key in sorted(partitions)]


def _state(
    key: tuple[str, int], generation: PartitionGeneration | None, topic: BrokerTopic | None
) -> GenerationState:
    ends = topic.partitions.get(key[1]) if topic else None
    known = generation and topic and is_same_generation(generation, topic)
    lag = None
    if ends is not None:
        reached = max(generation.next_offset, ends.low) if generation and known else ends.low
        lag = max(0, ends.end - reached)
    return GenerationState(
        topic=key[0],
        partition=key[1],
        topic_no=generation.topic_no if generation else None,
        next_offset=generation.next_offset if generation else None,
        start=ends.low if ends else None,
        end=ends.end if ends else None,
        lag=lag,
    )


def is_same_generation(generation: PartitionGeneration, topic: BrokerTopic) -> bool:
    """Return True if the ledger counts this topic of Kafka, and not one before it."""
    return (generation.kafka_topic_id, generation.cluster_id) == (topic.topic_id, topic.cluster_id)


def kafka_differences(
    generations: list[PartitionGeneration],
    topics: dict[str, BrokerTopic | None],
    next_offset_now: Callable[[PartitionGeneration], int],
) -> Iterator[Finding]:
    """Yield the differences between the ledger and Kafka's offsets.

    `next_offset_now` reads the ledger outside the snapshot. Kafka's offsets are newer than the
    snapshot, so Kafka's retention may have passed the snapshot but not the ledger.
    """
    for generation in generations:
        topic = topics.get(generation.topic)
        if generation.active:
            finding = _active_difference(generation, topic, next_offset_now)
        elif topic and is_same_generation(generation, topic) and not generation.succeeded:
            finding = _finding(
                generation, "active, since no later generation took over", "inactive"
            )
        else:
            finding = None
        if finding is not None:
            yield finding


def _active_difference(
    generation: PartitionGeneration,
    topic: BrokerTopic | None,
    next_offset_now: Callable[[PartitionGeneration], int],
) -> Finding | None:
    if topic is None:
        return _finding(generation, "the topic in Kafka", "no topic of this name")
    if not is_same_generation(generation, topic):
        return Finding(
            "topics",
            {"topic_no": generation.topic_no, "name": generation.topic},
            f"the topic {generation.kafka_topic_id} of cluster {generation.cluster_id}",
            f"{topic.topic_id} of cluster {topic.cluster_id} in Kafka: the topic was recreated, and"
            " the next ingest run records the loss",
        )
    ends = topic.partitions.get(generation.partition)
    reached = generation.next_offset
    if ends is None:
        return _finding(generation, "the partition in Kafka", "none of this number")
    if ends.end < reached:
        expected = f"next_offset of at most {ends.end}, the end of Kafka's log"
        return _finding(generation, expected, str(reached))
    if ends.low > reached and ends.low > next_offset_now(generation):
        return _finding(
            generation,
            f"Kafka's log to begin at or before next_offset {reached}",
            f"it begins at {ends.low}: offsets {reached} to {ends.low - 1} are lost, and"
            " the next ingest run records the loss",
        )
    return None


def _finding(generation: PartitionGeneration, expected: str, found: str) -> Finding:
    return Finding("kafka_offsets", generation.key, expected, found)
