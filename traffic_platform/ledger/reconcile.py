"""What to do when a partition's log is not as the ledger left it. Pure decisions, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from traffic_platform.kafka.admin import BrokerTopic, PartitionEnds

Cause = Literal["retention", "truncation", "topic_recreated"]


@dataclass(frozen=True)
class LedgerPartition:
    """The active ledger row of a partition, with the identity of the log that it counts."""

    topic_no: int
    partition: int
    start_offset: int
    next_offset: int
    leader_epoch: int | None
    last_seen_end: int | None
    kafka_topic_id: str
    cluster_id: str


@dataclass(frozen=True)
class LostRange:
    """Offsets that were never read; `next_offset` is None where nobody can know the end."""

    topic_no: int
    partition: int
    first_offset: int
    next_offset: int | None
    cause: Cause


@dataclass(frozen=True)
class Begin:
    """Count a log from `start_offset`, under a new topic_no if one is already counted.

    `next_offset` is beyond `start_offset` where the messages between them are lost.
    """

    partition: int
    start_offset: int
    next_offset: int
    lost: LostRange | None = None


@dataclass(frozen=True)
class SkipLost:
    """Go on in the same log at `next_offset`: what was before it is lost."""

    partition: int
    next_offset: int
    lost: LostRange


@dataclass(frozen=True)
class Retire:
    """Count a log no more: the topic was made again without this partition."""

    partition: int
    lost: LostRange


@dataclass(frozen=True)
class ForgetEpoch:
    """Go on in the same log without a leader epoch: the known one proves nothing.

    A transaction marker, which no consumer is given, can be of a later epoch than the last message
    before it; the broker then takes a position behind the marker for one in a truncated log.
    """

    partition: int
    lost: None = None


Change = Begin | SkipLost | Retire | ForgetEpoch


def reconcile(
    topic: BrokerTopic,
    ledger: dict[int, LedgerPartition],
    truncated_at: dict[int, int | None],
) -> list[Change]:
    """Compare the ledger's active rows with the broker's logs; the changes that make them agree.

    `truncated_at` names partitions whose log the broker found to differ from the ledger's leader
    epoch, with the offset at which it begins to differ; None: no stored message differs.
    """
    changes: list[Change] = []
    for partition, ends in sorted(topic.partitions.items()):
        known = ledger.get(partition)
        if known is None:
            changes.append(Begin(partition, start_offset=ends.low, next_offset=ends.low))
        elif (known.kafka_topic_id, known.cluster_id) != (topic.topic_id, topic.cluster_id):
            changes.append(_begin_recreated(known, ends))
        elif partition in truncated_at:
            at = truncated_at[partition]
            changes.append(ForgetEpoch(partition) if at is None else _begin_truncated(known, at))
        elif known.next_offset < ends.low:
            lost = _lost(known, ends.low, "retention")
            changes.append(SkipLost(partition, ends.low, lost))
    gone = sorted(ledger.keys() - topic.partitions.keys())
    changes.extend(_retire(ledger[partition]) for partition in gone)
    return changes


def is_truncated(known: LedgerPartition, ends: PartitionEnds) -> bool:
    """Whether the log ends before what was already stored from it."""
    return ends.end < known.next_offset


def _begin_recreated(known: LedgerPartition, ends: PartitionEnds) -> Begin:
    # A log made again starts at 0. What it has lost since, nobody saw: the old log's open end
    # names the same loss, so the new one is counted from where it can be read.
    return Begin(
        partition=known.partition,
        start_offset=ends.low,
        next_offset=ends.low,
        lost=_lost(known, _known_end(known), "topic_recreated"),
    )


def _retire(known: LedgerPartition) -> Retire:
    # Kafka never takes partitions from a topic, so the topic is another one.
    return Retire(known.partition, _lost(known, _known_end(known), "topic_recreated"))


def _begin_truncated(known: LedgerPartition, at: int) -> Begin:
    return Begin(
        partition=known.partition,
        start_offset=at,
        next_offset=at,
        lost=_lost(known, _known_end(known), "truncation"),
    )


def _known_end(known: LedgerPartition) -> int | None:
    end = known.last_seen_end
    return end if end is not None and end > known.next_offset else None


def _lost(known: LedgerPartition, next_offset: int | None, cause: Cause) -> LostRange:
    return LostRange(known.topic_no, known.partition, known.next_offset, next_offset, cause)
