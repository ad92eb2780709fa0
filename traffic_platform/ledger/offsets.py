"""The ledger in PostgreSQL: the current generation of each partition, and its next offset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from traffic_platform.errors import LedgerMovedError
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.ledger.reconcile import (
    BeginGeneration,
    Change,
    ForgetEpoch,
    LedgerPartition,
    RetireGeneration,
    SkipLost,
    is_truncated,
    reconcile,
)
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement


@dataclass(frozen=True)
class LedgerAdvance:
    """An advance of one ledger row from exactly `first_offset` to `next_offset`.

    `order_floor` and `order_time` are the largest order times before it and after it, None for
    reprocessing and backfills, which do not advance the ledger.
    """

    topic_no: int
    partition: int
    first_offset: int
    next_offset: int
    leader_epoch: int | None
    seen_end: int | None
    order_floor: datetime | None = None
    order_time: datetime | None = None


def read_ledger(connection: Connection, topic: str) -> dict[int, LedgerPartition]:
    """Return the active rows of a topic by partition."""
    rows = connection.execute(statement("ledger/read_ledger"), {"topic": topic}).fetchall()
    return {row[1]: LedgerPartition(*row) for row in rows}


def advance_ledger(connection: Connection, advances: Sequence[LedgerAdvance]) -> None:
    """Advance ledger rows by compare-and-set, inside the caller's transaction.

    Raises LedgerMovedError when a row is not at its `first_offset`; the caller must roll back.
    """
    ordered = sorted(advances, key=lambda advance: (advance.topic_no, advance.partition))
    columns = {
        field.name: [getattr(advance, field.name) for advance in ordered]
        for field in fields(LedgerAdvance)
    }
    advanced = connection.execute(statement("ledger/advance_ledger"), columns).rowcount
    if advanced != len(ordered):
        raise LedgerMovedError(
            f"another ingest run advanced {len(ordered) - advanced} of {len(ordered)} partitions"
        )


def reconcile_with_broker(
    connection: Connection,
    broker: Broker,
    topic: BrokerTopic,
    *,
    mine: Callable[[int], bool],
    suspects: Sequence[int] = (),
) -> list[Change]:
    """Make the ledger agree with the broker, in a transaction of its own, and return the changes.

    Changes only partitions that are `mine`, whose locks this connection holds: other runs advance
    theirs meanwhile. `suspects` are partitions whose position the broker refused. A loss is
    recorded in `lost_ranges`.
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
    for partition, row in ledger.items():
        ends = topic.partitions.get(partition)
        if ends is None or row.kafka_topic_id != topic.topic_id:
            continue
        short = is_truncated(row, ends)
        if not short and (partition not in suspects or row.next_offset < ends.low):
            continue
        first = broker.first_message_after_epoch(topic.name, partition, ends, row.leader_epoch)
        if short:
            found[partition] = ends.end if first is None else first
        else:
            found[partition] = first if first is not None and first < row.next_offset else None
    return found


def _apply(
    connection: Connection, topic: BrokerTopic, row: LedgerPartition | None, change: Change
) -> None:
    key: dict[str, object] = {"topic": topic.name, "partition": change.partition}
    if change.lost is not None:
        connection.execute(statement("ledger/record_loss"), asdict(change.lost))
    if isinstance(change, BeginGeneration | RetireGeneration):
        connection.execute(statement("ledger/retire_generation"), key)
    if isinstance(change, BeginGeneration):
        after = row.topic_no if row else 0
        new = {
            "topic_no": _topic_no(connection, topic, change.partition, after),
            "start_offset": change.start_offset,
            "next_offset": change.next_offset,
            "seen_end": topic.partitions[change.partition].end,
        }
        connection.execute(statement("ledger/begin_generation"), key | new)
    elif isinstance(change, SkipLost):
        connection.execute(statement("ledger/skip_lost"), key | {"next_offset": change.next_offset})
    elif isinstance(change, ForgetEpoch):
        connection.execute(statement("ledger/forget_epoch"), key)


def _topic_no(connection: Connection, topic: BrokerTopic, partition: int, after: int) -> int:
    """Return a later topic_no of this topic that the partition has not used, or a new one."""
    identity = {
        "topic": topic.name,
        "kafka_topic_id": topic.topic_id,
        "cluster_id": topic.cluster_id,
    }
    row = connection.execute(
        statement("ledger/find_topic_no"), identity | {"partition": partition, "after": after}
    ).fetchone()
    if row is None:
        # One after another, also for different topics: the number follows the highest one.
        connection.execute("select pg_advisory_xact_lock(hashtextextended('traffic.topics', 0))")
        row = connection.execute(statement("ledger/new_topic_no"), identity).fetchone()
    assert row is not None
    return int(row[0])
