"""What has to be rolled up again: written by whoever changes readings or sensors, with the change.

Every reading that a batch touches counts, also one that turns out to be unchanged: to tell those
apart costs more than to compute them again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, LiteralString
from uuid import UUID

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

from traffic_platform.events.columns import Processed
from traffic_platform.postgres import copy_binary as pg
from traffic_platform.statements import statement

BUCKET_US = 300_000_000
_UUID, _TIMESTAMPTZ = 2950, 1184  # OIDs of types, the same in every PostgreSQL

_LOCK: LiteralString = "lock table traffic.dirty_buckets in share update exclusive mode"
# A recomputation of a date of many sensors takes a minute.
PATIENCE_SECONDS = 600.0


def encode_dirty(events: Processed, winners: npt.NDArray[np.int64]) -> bytes | None:
    """The distinct (sensor, 5 minutes) pairs as one row of traffic.dirty_buckets, a COPY stream.

    `winners` are rows of `events` in the order of sensor and time; None without any.
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


def exclude_rollups(
    connection: psycopg.Connection[Any], wait_seconds: float = PATIENCE_SECONDS
) -> None:
    """In a transaction that has begun: no fold runs until it ends; those who append do not wait.

    To be called before anything is read that roll-ups depend on, and before other tables are
    locked. The lock is one of a table, which, unlike a function that locks, takes no snapshot: what
    the holder sees begins after its predecessor's commit. It conflicts with itself and with VACUUM,
    and ends with the transaction, also where the process is stopped or gone. Raises
    psycopg.errors.LockNotAvailable where a fold still runs after `wait_seconds`.
    """
    if wait_seconds <= 0:
        connection.execute(f"{_LOCK} nowait")
        return
    # A utility statement takes no parameters, and a function would take the snapshot.
    timeout = sql.SQL("set local lock_timeout = {}").format(
        sql.Literal(max(1, round(1000 * wait_seconds)))
    )
    connection.execute(timeout)
    connection.execute(_LOCK)


def append_sensors(connection: psycopg.Connection[Any], sensors: Collection[UUID]) -> None:
    """Mark all that is rolled up of these sensors as dirty; folds are excluded already."""
    if sensors:
        connection.execute(
            statement("event_tables/append_dirty_sensors"), {"sensor_ids": sorted(sensors)}
        )
