"""Dirty buckets: the (sensor, 5 minutes) pairs to roll up again.

Every transaction that changes readings or sensors appends them. A batch marks all its readings,
also unchanged ones: computing those again costs less than finding them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import numpy as np
import numpy.typing as npt
from psycopg.errors import LockNotAvailable

from traffic_platform.events.columns import Processed
from traffic_platform.postgres import copy_binary as pg
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

BUCKET_US = 300_000_000
_UUID, _TIMESTAMPTZ = 2950, 1184  # OIDs of these types, the same in every PostgreSQL

_ROLLUP_LOCK = 7_204_511_006  # any constant: one roll-up or sensor import at a time
_ASK_AGAIN_SECONDS = 0.1
# Computing a date of many sensors again takes a minute.
ROLLUP_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class Span:
    """A time of a sensor, from `first` (None: the beginning) until before `until` (None: open)."""

    sensor_id: UUID
    first: datetime | None = None
    until: datetime | None = None


def encode_dirty(events: Processed, winners: npt.NDArray[np.int64]) -> bytes | None:
    """Encode the distinct (sensor, 5 minutes) pairs as one row of traffic.dirty_buckets.

    `winners` are rows of `events` in the order of sensor and time. Returns a COPY stream, None
    without any row.
    """
    if len(winners) == 0:
        return None
    halves = events.sensor_id[winners].view(np.uint64).reshape(-1, 2)
    buckets = events.timestamp_us[winners] // BUCKET_US
    first = np.ones(len(winners), dtype=np.bool_)
    first[1:] = (halves[1:] != halves[:-1]).any(axis=1) | (buckets[1:] != buckets[:-1])
    sensors = pg.array(pg.uuids(events.sensor_id[winners[first]]), _UUID)
    starts = pg.array(pg.timestamps(buckets[first] * BUCKET_US), _TIMESTAMPTZ)
    return pg.encode_rows(1, (pg.variable([sensors]), pg.variable([starts])))


def exclude_rollups(connection: Connection, wait_seconds: float = ROLLUP_WAIT_SECONDS) -> None:
    """Exclude roll-ups until the current transaction ends; appending buckets stays possible.

    Call it in a READ COMMITTED transaction, before reading what roll-ups depend on: later
    statements then see what the holder before has committed. Raises psycopg.errors.LockNotAvailable
    when a roll-up still runs after `wait_seconds`.
    """
    _take_lock(connection, "select pg_try_advisory_xact_lock(%s)", wait_seconds)


@contextmanager
def rollups_excluded(connection: Connection, wait_seconds: float) -> Generator[None]:
    """Exclude roll-ups while the block runs. The snapshots of its transactions come after the lock.

    `connection` is in autocommit. The lock ends with the connection, too, when the process stops or
    dies. Raises psycopg.errors.LockNotAvailable when a roll-up still runs after `wait_seconds`.
    """
    _take_lock(connection, "select pg_try_advisory_lock(%s)", wait_seconds)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", (_ROLLUP_LOCK,))


def _take_lock(connection: Connection, query: LiteralString, wait_seconds: float) -> None:
    """Ask for the lock until it is free. A wait in the server would end in an error in its log."""
    until = time.monotonic() + wait_seconds
    while True:
        row = connection.execute(query, (_ROLLUP_LOCK,)).fetchone()
        if row and row[0]:
            return
        if time.monotonic() >= until:
            raise LockNotAvailable("another roll-up or sensor import is running")
        time.sleep(_ASK_AGAIN_SECONDS)


def append_spans(connection: Connection, spans: Collection[Span]) -> None:
    """Mark the rolled-up buckets of spans as dirty. Call `exclude_rollups` first."""
    if spans:
        ordered = sorted(spans, key=lambda span: span.sensor_id)
        connection.execute(
            statement("event_tables/append_dirty_spans"),
            {
                "sensor_ids": [span.sensor_id for span in ordered],
                "firsts": [span.first for span in ordered],
                "ends": [span.until for span in ordered],
            },
        )
