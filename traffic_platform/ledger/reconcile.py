"""Changes that make the ledger agree with Kafka's partitions. Pure decisions, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from traffic_platform.kafka.admin import BrokerTopic, PartitionEnds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Cause = Literal["retention", "truncation", "topic_recreated"]


@dataclass(frozen=True)
class LedgerPartition:
    """The active ledger row of a partition, with Kafka's ids of its topic and cluster.

    `order_time` is the largest order time of its messages, 1970-01-01 while it has none.
    """

    topic_no: int
    partition: int
    start_offset: int
    next_offset: int
    leader_epoch: int | None
    last_seen_end: int | None
    kafka_topic_id: str
    cluster_id: str
    order_time: datetime = EPOCH


@dataclass(frozen=True)
class LostRange:
    """Offsets that were never read; `next_offset` is None where the end is unknown."""

    topic_no: int
    partition: int
    first_offset: int
    next_offset: int | None
    cause: Cause


@dataclass(frozen=True)
class BeginGeneration:
    """Begin a partition generation at `start_offset`; a known partition gets a new topic_no.

    `next_offset` is beyond `start_offset` where the messages between them are lost.
    """

    partition: int
    start_offset: int
    next_offset: int
    lost: LostRange | None = None


@dataclass(frozen=True)
class SkipLost:
    """Continue the generation at `next_offset`: the messages before it are lost."""

    partition: int
    next_offset: int
    lost: LostRange


@dataclass(frozen=True)
class RetireGeneration:
    """End the generation: the topic was recreated without this partition."""

    partition: int
    lost: LostRange


@dataclass(frozen=True)
class ForgetEpoch:
    """Continue the generation without a leader epoch, because the stored one proves nothing.

    A transaction marker, which consumers never receive, can have a later epoch than the last
    message before it. The broker then mistakes a position after the marker for a truncation.
    """

    partition: int
    lost: None = None


Change = BeginGeneration | SkipLost | RetireGeneration | ForgetEpoch


def reconcile(
    topic: BrokerTopic,
    ledger: dict[int, LedgerPartition],
    truncated_at: dict[int, int | None],
) -> list[Change]:
    """Return the changes that make the ledger's active rows agree with the broker's partitions.

    `truncated_at` holds the partitions that differ from the ledger's leader epoch, with the first
    offset that differs; None where no stored message differs.
    """
    changes: list[Change] = []
    for partition, ends in sorted(topic.partitions.items()):
        row = ledger.get(partition)
        if row is None:
            changes.append(BeginGeneration(partition, start_offset=ends.low, next_offset=ends.low))
        elif (row.kafka_topic_id, row.cluster_id) != (topic.topic_id, topic.cluster_id):
            changes.append(_begin_recreated(row, ends))
        elif partition in truncated_at:
            at = truncated_at[partition]
            changes.append(ForgetEpoch(partition) if at is None else _begin_truncated(row, at))
        elif row.next_offset < ends.low:
            lost = _lost(row, ends.low, "retention")
            changes.append(SkipLost(partition, ends.low, lost))
    gone = sorted(ledger.keys() - topic.partitions.keys())
    changes.extend(_retire(ledger[partition]) for partition in gone)
    return changes


def is_truncated(row: LedgerPartition, ends: PartitionEnds) -> bool:
    """Return True when the partition ends before the ledger's next offset."""
    return ends.end < row.next_offset


def _begin_recreated(row: LedgerPartition, ends: PartitionEnds) -> BeginGeneration:
    # A recreated partition starts at 0, and nobody saw the messages it has lost since. The open end
    # of the old generation covers that loss, so the new one starts where it can be read.
    return BeginGeneration(
        partition=row.partition,
        start_offset=ends.low,
        next_offset=ends.low,
        lost=_lost(row, _known_end(row), "topic_recreated"),
    )


def _retire(row: LedgerPartition) -> RetireGeneration:
    # Kafka never removes partitions from a topic, so this is another topic.
    return RetireGeneration(row.partition, _lost(row, _known_end(row), "topic_recreated"))


def _begin_truncated(row: LedgerPartition, at: int) -> BeginGeneration:
    return BeginGeneration(
        partition=row.partition,
        start_offset=at,
        next_offset=at,
        lost=_lost(row, _known_end(row), "truncation"),
    )


def _known_end(row: LedgerPartition) -> int | None:
    end = row.last_seen_end
    return end if end is not None and end > row.next_offset else None


def _lost(row: LedgerPartition, next_offset: int | None, cause: Cause) -> LostRange:
    return LostRange(row.topic_no, row.partition, row.next_offset, next_offset, cause)
