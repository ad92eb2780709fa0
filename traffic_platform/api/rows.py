"""Rows of a statement, as dictionaries or as one number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

from psycopg.rows import dict_row

from traffic_platform.api.database import Connection
from traffic_platform.statements import statement


async def read_objects(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> list[dict[str, Any]]:
    """Return all rows of a statement as dictionaries by column name. Raises psycopg.Error."""
    async with connection.cursor(binary=True, row_factory=dict_row) as cursor:
        await cursor.execute(statement(name), parameters)
        return await cursor.fetchall()


async def read_number(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> int:
    """Return the single number that a statement selects. Raises psycopg.Error."""
    row = await (await connection.execute(statement(name), parameters)).fetchone()
    assert row is not None
    return int(row[0])
