"""The ledger in PostgreSQL: which log of each partition is current, and how far it is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from traffic_platform.errors import LedgerMovedError
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.ledger.reconcile import (
    Begin,
    Change,
    ForgetEpoch,
    LedgerPartition,
    LostRange,
    Retire,
    SkipLost,
    is_truncated,
    reconcile,
)
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class LedgerAdvance:
    """A move of one ledger row, from exactly `first_offset` to `next_offset`."""

    topic_no: int
    partition: int
    first_offset: int
    next_offset: int
    leader_epoch: int | None
    seen_end: int | None


def read_ledger(connection: Connection, topic: str) -> dict[int, LedgerPartition]:
    """The active rows of a topic by partition."""
    rows = connection.execute(statement("ledger/read_ledger"), {"topic": topic}).fetchall()
    return {row[1]: LedgerPartition(*row) for row in rows}


def advance_ledger(connection: Connection, moves: Sequence[LedgerAdvance]) -> None:
    """Move ledger rows by compare-and-set, inside the caller's transaction.

    Raises LedgerMovedError when a row is not where its move starts: the caller rolls back.
    """
    ordered = sorted(moves, key=lambda move: (move.topic_no, move.partition))
    columns = {
        "topic_no": [move.topic_no for move in ordered],
        "partition": [move.partition for move in ordered],
        "first_offset": [move.first_offset for move in ordered],
        "next_offset": [move.next_offset for move in ordered],
        "leader_epoch": [move.leader_epoch for move in ordered],
        "seen_end": [move.seen_end for move in ordered],
    }
    moved = connection.execute(statement("ledger/advance_ledger"), columns).rowcount
    if moved != len(ordered):
        raise LedgerMovedError(
            f"{len(ordered) - moved} of {len(ordered)} partitions were moved by another window"
        )


def agree_with_broker(
    connection: Connection,
    broker: Broker,
    topic: BrokerTopic,
    *,
    mine: Callable[[int], bool],
    suspects: Sequence[int] = (),
) -> list[Change]:
    """Make the ledger agree with the broker's logs, in a transaction of its own.

    Only for partitions that are `mine`, whose locks this connection holds: those of others move
    meanwhile. `suspects` are partitions whose position the broker refused. Returns what was
    changed; a loss is recorded in `lost_ranges`.
    """
    topic = replace(topic, partitions={p: e for p, e in topic.partitions.items() if mine(p)})
    with connection.transaction():
        connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('traffic.topic.' || %s, 0))",
            (topic.name,),
        )
        rows = read_ledger(connection, topic.name)
        ledger = {partition: row for partition, row in rows.items() if mine(partition)}
        truncated_at = _find_truncations(broker, topic, ledger, suspects)
        changes = reconcile(topic, ledger, truncated_at)
        for change in changes:
            _apply(connection, topic, ledger.get(change.partition), change)
    return changes


def _find_truncations(
    broker: Broker,
    topic: BrokerTopic,
    ledger: dict[int, LedgerPartition],
    suspects: Sequence[int],
) -> dict[int, int | None]:
    found: dict[int, int | None] = {}
    for partition, known in ledger.items():
        ends = topic.partitions.get(partition)
        if ends is None or known.kafka_topic_id != topic.topic_id:
            continue
        short = is_truncated(known, ends)
        if not short and (partition not in suspects or known.next_offset < ends.low):
            continue
        other = broker.first_message_after_epoch(topic.name, partition, ends, known.leader_epoch)
        if short:
            found[partition] = ends.end if other is None else other
        else:
            found[partition] = other if other is not None and other < known.next_offset else None
    return found


def _apply(
    connection: Connection, topic: BrokerTopic, known: LedgerPartition | None, change: Change
) -> None:
    if change.lost is not None:
        _record_loss(connection, change.lost)
    if isinstance(change, Begin | Retire):
        connection.execute(
            statement("ledger/retire_generation"),
            {"topic": topic.name, "partition": change.partition},
        )
    if isinstance(change, Begin):
        after = known.topic_no if known else 0
        connection.execute(
            statement("ledger/begin_generation"),
            {
                "topic": topic.name,
                "partition": change.partition,
                "topic_no": _topic_no(connection, topic, change.partition, after),
                "start_offset": change.start_offset,
                "next_offset": change.next_offset,
                "seen_end": topic.partitions[change.partition].end,
            },
        )
    elif isinstance(change, SkipLost):
        connection.execute(
            statement("ledger/skip_lost"),
            {
                "topic": topic.name,
                "partition": change.partition,
                "next_offset": change.next_offset,
            },
        )
    elif isinstance(change, ForgetEpoch):
        connection.execute(
            statement("ledger/forget_epoch"), {"topic": topic.name, "partition": change.partition}
        )


def _record_loss(connection: Connection, lost: LostRange) -> None:
    connection.execute(
        statement("ledger/record_loss"),
        {
            "topic_no": lost.topic_no,
            "partition": lost.partition,
            "first_offset": lost.first_offset,
            "next_offset": lost.next_offset,
            "cause": lost.cause,
        },
    )


def _topic_no(connection: Connection, topic: BrokerTopic, partition: int, after: int) -> int:
    """The number of this log: one that other partitions of it already use, else a new one."""
    identity = {
        "topic": topic.name,
        "kafka_topic_id": topic.topic_id,
        "cluster_id": topic.cluster_id,
    }
    row = connection.execute(
        statement("ledger/find_topic_no"), identity | {"partition": partition, "after": after}
    ).fetchone()
    if row is None:
        row = connection.execute(statement("ledger/new_topic_no"), identity).fetchone()
    assert row is not None
    return int(row[0])
