"""Rows as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

from psycopg.rows import dict_row

from traffic_platform.api.database import Connection
from traffic_platform.statements import statement


async def read_objects(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> list[dict[str, Any]]:
    """All rows of a statement, by the names of its columns. Raises psycopg.Error."""
    async with connection.cursor(binary=True, row_factory=dict_row) as cursor:
        await cursor.execute(statement(name), parameters)
        return await cursor.fetchall()


async def read_number(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> int:
    """The one number of a statement. Raises psycopg.Error."""
    row = await (await connection.execute(statement(name), parameters)).fetchone()
    assert row is not None
    return int(row[0])
