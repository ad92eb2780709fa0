"""What the rows of a partition are to the accounting, counted before they go.

Counting reads the whole partition and holds nobody up. The transaction that drops it looks again,
while nobody writes, whether it still holds what was counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from traffic_platform.postgres.event_partitions import Connection, Parent, Partition
from traffic_platform.statements import statement

_COUNT: Final[dict[Parent, LiteralString]] = {
    "raw_events": "retention/count_raw",
    "processed_events": "retention/count_processed",
    "traffic_readings": "retention/count_readings",
}


@dataclass(frozen=True)
class Counted:
    """Rows of a partition, and when the newest arrived (None: there are none).

    `unaudited` of them belong to no audit row: something is wrong, and they stay. `corrections` is
    the newest audit row of a replay or rebuild, which may alter old rows.
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
    if partition.parent == "traffic_readings":  # which belong to no batch
        unaudited = 0
    return Counted(rows, newest, unaudited, corrections)


def newest_correction(connection: Connection) -> int:
    """The number of the newest replay or rebuild, 0: there is none."""
    row = connection.execute(
        "select coalesce(max(batch_id), 0) from traffic.micro_batches where kind <> 'ingest'"
    ).fetchone()
    assert row is not None
    return int(row[0])
