"""Counts of a partition's rows for the accounting, taken before the partition is dropped.

Counting reads the whole partition and blocks no other session. The dropping transaction checks the
number of rows again while nothing else writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from traffic_platform.postgres.connections import Connection
from traffic_platform.postgres.event_partitions import Parent, Partition
from traffic_platform.statements import statement

_COUNT: Final[dict[Parent, LiteralString]] = {
    "raw_events": "retention/count_raw",
    "processed_events": "retention/count_processed",
    "traffic_readings": "retention/count_readings",
}


@dataclass(frozen=True)
class Counted:
    """Number of a partition's rows, and the newest arrival (None without rows).

    `unaudited` rows belong to no audit row. That is an error, and such a partition is kept.
    `corrections` is the newest audit row of a backfill or reprocessing, which may alter old rows.
    """

    rows: int
    newest_arrival: datetime | None
    unaudited: int
    corrections: int


def count_partition(connection: Connection, partition: Partition, timezone: str) -> Counted:
    """Count a partition into the session's table `dropping`. Raises psycopg.Error."""
    corrections = newest_correction(connection)
    connection.execute(statement("retention/create_counts"))
    connection.execute("truncate pg_temp.dropping")
    connection.execute(
        statement(_COUNT[partition.parent]),
        {"lower": partition.lower, "upper": partition.upper, "timezone": timezone},
    )
    row = connection.execute(
        "select coalesce(sum(rows), 0)::bigint, max(newest_arrival),"
        " coalesce(sum(rows) filter (where audit_id is null), 0)::bigint from pg_temp.dropping"
    ).fetchone()
    assert row is not None
    rows, newest, unaudited = row
    if partition.parent == "traffic_readings":  # readings belong to no batch
        unaudited = 0
    return Counted(rows, newest, unaudited, corrections)


def newest_correction(connection: Connection) -> int:
    """Return the batch number of the newest backfill or reprocessing, 0 without any."""
    row = connection.execute(
        "select coalesce(max(batch_id), 0) from traffic.micro_batches where kind <> 'ingest'"
    ).fetchone()
    assert row is not None
    return int(row[0])
