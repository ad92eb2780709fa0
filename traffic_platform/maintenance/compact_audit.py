"""Folding audit rows: closed hours of `traffic.micro_batches` become one row a log and hour.

Ten commits a second over six partitions are five million audit rows a day. What they prove is
kept: ranges, sums, dates and rules. What is lost is which batch of the hour counted what. A fold is
one statement, so a reader sees the rows or their sum; killed in the middle, nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from traffic_platform.faults import FaultPoint, fault_points
from traffic_platform.publish.positions import read_positions
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

# What happened in the last two days is looked at batch by batch.
FOLD_AFTER: Final = timedelta(days=2)
# Audit rows of one log in one transaction: an hour at ten commits a second.
ROWS_AT_A_TIME: Final = 40_000

Connection = psycopg.Connection[Any]
_EVERYTHING = 2**63 - 1


@dataclass
class Compacted:
    """How many audit rows went, and how many came in their place."""

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
    """Fold what was committed in hours that ended FOLD_AFTER ago and that is published.

    `connection` is in autocommit. Each step is a transaction of its own: what was done stays done
    whatever ends this, and to call it again goes on. Raises psycopg.Error.
    """
    folded, passed = Compacted(), fault_points()
    before = (now - FOLD_AFTER).replace(minute=0, second=0, microsecond=0)
    published = published_offsets(connection, settings)
    for topic_no, partition, _, begin in connection.execute(
        statement("maintenance/generations")
    ).fetchall():
        log = {
            "topic_no": topic_no,
            "partition": partition,
            "before": before,
            "published": published.get((topic_no, partition), _EVERYTHING),
            "timezone": settings.timezone,
            "most": rows_at_a_time,
        }
        reached: int | None = begin
        while reached is not None and not stop():
            reached = _fold_next(connection, log | {"from_offset": reached}, folded, passed)
    return folded


def published_offsets(connection: Connection, settings: Settings) -> dict[tuple[int, int], int]:
    """How far each log that is published is published, by topic_no and partition."""
    reached: dict[tuple[int, int], int] = {}
    for position in read_positions(connection, settings):
        if position.route != "replays":
            log = position.log.topic_no, position.log.partition
            reached[log] = min(position.next_position, reached.get(log, _EVERYTHING))
    return reached


def _fold_next(
    connection: Connection,
    log: dict[str, Any],
    folded: Compacted,
    passed: Callable[[FaultPoint], None],
) -> int | None:
    """One step of a log; where to go on, None: there is nothing left."""
    with connection.transaction():
        row = connection.execute(statement("maintenance/compact_audit"), log).fetchone()
        assert row is not None
        rows, into, reached = row
        if reached is None:
            return None
        connection.execute(statement("maintenance/save_compaction"), log | {"next_offset": reached})
        passed("before_fold_commit")
    folded.rows += rows
    folded.into += into
    return reached
