"""Rows of a statement as dictionaries, and pages of readings that PostgreSQL encodes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

from psycopg.rows import dict_row

from traffic_platform.api.database import Connection
from traffic_platform.api.replies import Content
from traffic_platform.statements import statement


async def read_objects(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> list[dict[str, Any]]:
    """Return all rows of a statement as dictionaries by column name. Raises psycopg.Error."""
    async with connection.cursor(binary=True, row_factory=dict_row) as cursor:
        await cursor.execute(statement(name), parameters)
        return await cursor.fetchall()


def page_content(items: bytes, total: int, page: int, size: int) -> Content:
    """Return a page as JSON. items: its readings as JSON, separated by commas."""
    pages = -(-total // size)
    return Content(b'{"items":[%b],"total":%d,"page":%d,"pages":%d}' % (items, total, page, pages))


async def read_page(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> tuple[int, bytes]:
    """Run a statement that selects a total and items as JSON. Raises psycopg.Error."""
    cursor = connection.cursor(binary=True)
    row = await (await cursor.execute(statement(name), parameters)).fetchone()
    assert row is not None
    return row[0], row[1]
