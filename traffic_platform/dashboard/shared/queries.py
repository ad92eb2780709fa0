"""Statements of sql/dashboard, by name."""

from __future__ import annotations

from typing import Any, TypeVar

from psycopg.rows import class_row, namedtuple_row

from traffic_platform.api.database import Connection
from traffic_platform.statements import statement

Row = TypeVar("Row")


async def rows(connection: Connection, name: str, **parameters: object) -> list[Any]:
    """The rows of a statement as named tuples. Raises psycopg.Error."""
    async with connection.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(statement(f"dashboard/{name}"), parameters)
        return await cursor.fetchall()


async def typed(
    connection: Connection, name: str, row: type[Row], **parameters: object
) -> list[Row]:
    """The rows of a statement as objects of a class with these columns. Raises psycopg.Error."""
    async with connection.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(statement(f"dashboard/{name}"), parameters)
        return await cursor.fetchall()
