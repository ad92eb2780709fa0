"""Execution of the checks' SQL statements."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from traffic_platform.quality.outcome import SAMPLE_ROWS, Row
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]


def read_rows(connection: Connection, name: str, **parameters: object) -> list[Row]:
    """Return the rows of `sql/quality/NAME.sql` as dicts. Raises psycopg.Error."""
    return read_query(connection, statement(f"quality/{name}"), **parameters)


def read_query(
    connection: Connection, query: LiteralString | sql.Composed, **parameters: object
) -> list[Row]:
    """Return the rows of a query as dicts. Raises psycopg.Error."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(query, {"sample": SAMPLE_ROWS, **parameters})
        return list(cursor.fetchall())


def qualified(name: str) -> sql.Identifier:
    """Return `schema.table`, the text of a regclass without quotes, as an SQL identifier."""
    return sql.Identifier(*name.split("."))
