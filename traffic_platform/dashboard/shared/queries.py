"""Statements of sql/dashboard, by name."""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row, namedtuple_row

from traffic_platform.api.database import Connection
from traffic_platform.statements import statement

Row = TypeVar("Row")

# Errors that psycopg and its pool raise when the server is unavailable or too slow.
UNAVAILABLE = (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError)


async def rows(connection: Connection, name: str, **parameters: object) -> list[Any]:
    """Return the rows of a statement as named tuples. Raises psycopg.Error."""
    async with connection.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(statement(f"dashboard/{name}"), parameters)
        return await cursor.fetchall()


async def typed(
    connection: Connection, name: str, row: type[Row], **parameters: object
) -> list[Row]:
    """Return the rows of a statement as objects of a class. Raises psycopg.Error."""
    async with connection.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(statement(f"dashboard/{name}"), parameters)
        return await cursor.fetchall()
