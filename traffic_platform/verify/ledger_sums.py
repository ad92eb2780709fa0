"""The ledger, its audit rows and its losses: do they add up, also against Kafka's offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

from traffic_platform.kafka.admin import Broker, BrokerTopic, PartitionEnds
from traffic_platform.statements import statement
from traffic_platform.verify.snapshot import Connection, differences
from traffic_platform.verify.verify_report import Finding, GenerationState, StaleRules, VerifyReport


@dataclass(frozen=True)
class PartitionGeneration:
    """A row of the ledger with the identity of the log that it counts.

    `raw` is the number of messages that its audit rows claim to be stored, `succeeded` whether a
    later log of the same partition is in the ledger.
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
        """Its key in `kafka_offsets`, with the topic's name for people."""
        return {"topic": self.topic, "topic_no": self.topic_no, "partition": self.partition}


def read_generations(connection: Connection) -> list[PartitionGeneration]:
    """All logs of the ledger, in key order."""
    return [
        PartitionGeneration(*row) for row in connection.execute(statement("verify/logs")).fetchall()
    ]


def read_stale(connection: Connection, rules_version: str) -> list[StaleRules]:
    """Batches of other rules than `rules_version`, by version."""
    rows = connection.execute(statement("verify/stale"), {"rules_version": rules_version})
    return [StaleRules(*row) for row in rows.fetchall()]


def check_ledger(connection: Connection, report: VerifyReport) -> None:
    """Ranges without gap or overlap, sums of each audit row, losses on record."""
    checks: tuple[tuple[str, LiteralString], ...] = (
        ("audit rows and lost ranges tile the ledger", "verify/ledger_ranges"),
        ("the ledger names its topics rightly", "verify/ledger_names"),
        ("each audit row adds up", "verify/audit_sums"),
        ("folded audit rows stand apart", "verify/folds"),
        ("what was dropped adds up", "verify/dropped_sums"),
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
    """What Kafka says of each topic, None where it has none of that name."""
    return {name: broker.describe(name) for name in sorted(names)}


def generation_states(
    logs: list[PartitionGeneration], topics: dict[str, BrokerTopic | None]
) -> list[GenerationState]:
    """Ledger and Kafka side by side, with the lag of every partition."""
    active = {(log.topic, log.partition): log for log in logs if log.active}
    places = set(active) | {
        (name, partition)
        for name, topic in topics.items()
        if topic
        for partition in topic.partitions
    }
    return [_state(place, active.get(place), topics.get(place[0])) for place in sorted(places)]


def _state(
    place: tuple[str, int], log: PartitionGeneration | None, topic: BrokerTopic | None
) -> GenerationState:
    ends = topic.partitions.get(place[1]) if topic else None
    known = log is not None and topic is not None and is_same_generation(log, topic)
    lag = None
    if ends is not None:
        reached = max(log.next_offset, ends.low) if log is not None and known else ends.low
        lag = max(0, ends.end - reached)
    return GenerationState(
        topic=place[0],
        partition=place[1],
        topic_no=log.topic_no if log else None,
        next_offset=log.next_offset if log else None,
        start=ends.low if ends else None,
        end=ends.end if ends else None,
        lag=lag,
    )


def is_same_generation(log: PartitionGeneration, topic: BrokerTopic) -> bool:
    """Whether Kafka's topic is the one that the ledger counts."""
    return (log.kafka_topic_id, log.cluster_id) == (topic.topic_id, topic.cluster_id)


def kafka_differences(
    logs: list[PartitionGeneration],
    topics: dict[str, BrokerTopic | None],
    next_offset_now: Callable[[PartitionGeneration], int],
) -> Iterator[Finding]:
    """Where the ledger contradicts Kafka's offsets.

    `next_offset_now` reads the ledger anew: Kafka was asked after the snapshot, and retention may
    have passed the snapshot, but not the ledger, since.
    """
    for log in logs:
        topic = topics.get(log.topic)
        if log.active:
            finding = _active_difference(log, topic, next_offset_now)
        elif topic is not None and is_same_generation(log, topic) and not log.succeeded:
            finding = Finding(
                "kafka_offsets", log.key, "active, since no log took over", "inactive"
            )
        else:
            finding = None
        if finding is not None:
            yield finding


def _active_difference(
    log: PartitionGeneration,
    topic: BrokerTopic | None,
    next_offset_now: Callable[[PartitionGeneration], int],
) -> Finding | None:
    if topic is None:
        return Finding("kafka_offsets", log.key, "the topic in Kafka", "no topic of this name")
    if not is_same_generation(log, topic):
        return Finding(
            "topics",
            {"topic_no": log.topic_no, "name": log.topic},
            f"the topic {log.kafka_topic_id} of cluster {log.cluster_id}",
            f"{topic.topic_id} of cluster {topic.cluster_id} in Kafka: it was made again, and the"
            " next window records what was lost",
        )
    ends = topic.partitions.get(log.partition)
    if ends is None:
        return Finding("kafka_offsets", log.key, "the partition in Kafka", "none of this number")
    if ends.end < log.next_offset:
        return Finding(
            "kafka_offsets",
            log.key,
            f"next_offset of at most {ends.end}, the end of Kafka's log",
            str(log.next_offset),
        )
    if ends.low > log.next_offset and ends.low > next_offset_now(log):
        return _unread_loss(log, ends)
    return None


def _unread_loss(log: PartitionGeneration, ends: PartitionEnds) -> Finding:
    return Finding(
        "kafka_offsets",
        log.key,
        f"Kafka's log to begin at or before next_offset {log.next_offset}",
        f"it begins at {ends.low}: offsets {log.next_offset} to {ends.low - 1} are lost, and the"
        " next window records it",
    )
