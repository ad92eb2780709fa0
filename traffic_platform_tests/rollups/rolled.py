"""Roll-ups computed for tests, and read back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from traffic_platform.rollups import TABLES, RollupResult, roll_up
from traffic_platform.statements import statement
from traffic_platform_tests.rollups.readings import Reading, add_readings

FIVE_MINUTES = timedelta(minutes=5)


def bucket_of(at: datetime) -> datetime:
    """Return the start of the 5-minute bucket of a time."""
    return at - timedelta(seconds=at.timestamp() % 300)


def mark(owner: psycopg.Connection, sensor: str, times: Iterable[datetime]) -> None:
    """Append the buckets of these times."""
    buckets = sorted({bucket_of(moment) for moment in times})
    row = owner.execute(
        "select sensor_id from traffic.sensors where external_id = %s", (sensor,)
    ).fetchone()
    assert row is not None
    owner.execute(
        statement("event_tables/append_dirty_buckets"),
        {"sensor_ids": [row[0]] * len(buckets), "buckets": buckets},
    )


def deliver(owner: psycopg.Connection, sensor: str, readings: Iterable[Reading]) -> None:
    """Write readings and their buckets, as an ingest run does."""
    rows = list(readings)
    with owner.transaction():
        add_readings(owner, sensor, rows)
        mark(owner, sensor, (reading.at for reading in rows))


def roll_up_everything(owner: psycopg.Connection) -> RollupResult:
    """Roll up until no bucket is dirty."""
    sums = roll_up(owner)
    while sums.left:
        sums.add(roll_up(owner))
    return sums


def rolled(
    connection: psycopg.Connection, table: str, sensor: str | None = None
) -> list[dict[str, Any]]:
    """The rows of a table in the order of its key, without `updated_at`."""
    key = {"readings_5min": "bucket", "readings_hourly": "hour", "readings_daily": "date"}[table]
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"select r.* from traffic.{table} r join traffic.sensors s using (sensor_id)"  # pyright: ignore
            f" where %(sensor)s::text is null or s.external_id = %(sensor)s"
            f" order by sensor_id, {key}",
            {"sensor": sensor},
        ).fetchall()
    return [{name: value for name, value in row.items() if name != "updated_at"} for row in rows]


def everything(connection: psycopg.Connection) -> dict[str, list[dict[str, Any]]]:
    """All rows of the three tables."""
    return {table: rolled(connection, table) for table in TABLES}
