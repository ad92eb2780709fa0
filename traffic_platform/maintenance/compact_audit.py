"""Compaction of the audit: one row of `traffic.micro_batches` per partition generation and hour.

Ten commits a second over six partitions give five million audit rows a day. Compaction keeps their
ranges, sums, dates and rules, but not the counts of each batch. A compaction is one statement, so a
reader sees the rows or their sum, and a killed one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from traffic_platform.faults import FaultPoint, fault_points
from traffic_platform.postgres.connections import Connection
from traffic_platform.publish.positions import GenerationKey, read_positions
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

# Operators look at the batches of the last two days.
COMPACT_AFTER: Final = timedelta(days=2)
# Audit rows per transaction, all of one generation: an hour at ten commits a second.
ROWS_AT_A_TIME: Final = 40_000

_EVERYTHING = 2**63 - 1


@dataclass
class Compacted:
    """Numbers of audit rows that were compacted, and of those that replaced them."""

    rows: int = 0
    into: int = 0


def compact_audit(
    connection: Connection,
    settings: Settings,
    now: datetime,
    *,
    stop: Callable[[], bool] = lambda: False,
    rows_at_a_time: int = ROWS_AT_A_TIME,
) -> Compacted:
    """Compact published audit rows of hours that ended at least COMPACT_AFTER ago.

    `connection` is in autocommit. Each step is a transaction of its own, so another call continues
    after an interruption. Raises psycopg.Error.
    """
    compacted, passed = Compacted(), fault_points()
    before = (now - COMPACT_AFTER).replace(minute=0, second=0, microsecond=0)
    published = published_offsets(connection, settings)
    for topic_no, partition, _, begin in connection.execute(
        statement("maintenance/generations")
    ).fetchall():
        generation = {
            "topic_no": topic_no,
            "partition": partition,
            "before": before,
            "published": published.get((topic_no, partition), _EVERYTHING),
            "timezone": settings.timezone,
            "most": rows_at_a_time,
        }
        reached: int | None = begin
        while reached is not None and not stop():
            reached = _compact_next(
                connection, generation | {"from_offset": reached}, compacted, passed
            )
    return compacted


def published_offsets(connection: Connection, settings: Settings) -> dict[GenerationKey, int]:
    """Return the next offset to publish of each generation that is published from."""
    reached: dict[GenerationKey, int] = {}
    for position in read_positions(connection, settings):
        if position.route != "replays":
            key = position.generation.key
            reached[key] = min(position.next_position, reached.get(key, _EVERYTHING))
    return reached


def _compact_next(
    connection: Connection,
    generation: dict[str, Any],
    compacted: Compacted,
    passed: Callable[[FaultPoint], None],
) -> int | None:
    """Do one step of a generation; return the offset to continue at, None at the end."""
    with connection.transaction():
        row = connection.execute(statement("maintenance/compact_audit"), generation).fetchone()
        assert row is not None
        rows, into, reached = row
        if reached is None:
            return None
        connection.execute(
            statement("maintenance/save_compaction"), generation | {"next_offset": reached}
        )
        passed("before_compaction_commit")
    compacted.rows += rows
    compacted.into += into
    return reached
