"""Checks of keys: constraints prove them, and rows are counted only where a constraint is missing.

A count over millions of rows every half hour would cost more than ingest itself. A valid unique
index proves that a partition has no duplicate, and partitions do not overlap in time. NOT NULL
proves that a column has no null. So the checks read the catalogue, in milliseconds at any size.

A table without such a proof fails even if the count is 0, because nothing keeps the next row out.
`traffic verify` reads the rows themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import sql

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.check_statements import Connection, qualified, read_query
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome, Row

READINGS = "traffic.traffic_readings"
READING_KEY = ("sensor_id", "timestamp")
KEYS: Mapping[str, Sequence[str]] = {
    "traffic.raw_events": ("topic_no", "partition", "offset", "ingested_at"),
    "traffic.processed_events": ("topic_no", "partition", "offset", "sensor_id", "timestamp"),
    READINGS: READING_KEY,
}


@check("traffic_readings", "ERROR", Scope.TABLE, "partitions_without_key", blocking=True)
def no_duplicate_readings(context: CheckContext) -> Outcome:
    """No two readings of a sensor have the same timestamp."""
    unproven = context.read("partitions_without_key", table=READINGS, key=list(READING_KEY))
    names = [str(row["partition_name"]) for row in unproven]
    duplicates = [row for name in names for row in _duplicates(context.connection, name)]
    numbers = {"partitions without a unique index": len(names), "duplicates": len(duplicates)}
    if not names:
        return Outcome(True, "Every partition has a unique index against duplicates.", numbers)
    return Outcome(
        passed=False,
        summary=f"No valid unique index on ({', '.join(READING_KEY)}) keeps duplicates out of "
        f"{', '.join(names)}.",
        numbers=numbers,
        sample=(duplicates or unproven)[:SAMPLE_ROWS],
    )


@check("traffic_readings", "ERROR", Scope.TABLE, "nullable_key_columns", blocking=True)
def no_null_in_keys(context: CheckContext) -> Outcome:
    """No key column of the three tables holds a null."""
    columns = [(table, column) for table, key in KEYS.items() for column in key]
    unproven = context.read(
        "nullable_key_columns",
        tables=[table for table, _ in columns],
        columns=[column for _, column in columns],
    )
    counted = [{**row, "nulls": _nulls(context.connection, row)} for row in unproven]
    nulls = sum(row["nulls"] for row in counted)
    numbers = {"key columns": len(columns), "nullable": len(counted), "nulls": nulls}
    if not counted:
        return Outcome(True, "Every key column is NOT NULL in every partition.", numbers)
    names = ", ".join(f"{row['table_name']}.{row['column_name']}" for row in counted[:SAMPLE_ROWS])
    return Outcome(
        passed=False,
        summary=f"No constraint keeps nulls out of {names}.",
        numbers=numbers,
        sample=counted[:SAMPLE_ROWS],
    )


def _duplicates(connection: Connection, partition: str) -> list[Row]:
    return read_query(
        connection,
        sql.SQL(
            'select sensor_id, "timestamp", count(*) as rows from {} '
            "group by 1, 2 having count(*) > 1 order by 1, 2 limit %(sample)s"
        ).format(qualified(partition)),
    )


def _nulls(connection: Connection, row: Row) -> int:
    query = sql.SQL("select count(*) as nulls from {} where {} is null").format(
        qualified(str(row["table_name"])), sql.Identifier(str(row["column_name"]))
    )
    return int(read_query(connection, query)[0]["nulls"])
