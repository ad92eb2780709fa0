"""Pages of readings, which PostgreSQL makes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from traffic_platform.api.database import Connection
from traffic_platform.api.replies import Content
from traffic_platform.statements import statement


def page_content(items: bytes, total: int, page: int, size: int) -> Content:
    """A page as JSON; `items` are its items, with commas between them."""
    pages = -(-total // size)
    return Content(b'{"items":[%b],"total":%d,"page":%d,"pages":%d}' % (items, total, page, pages))


async def read_page(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> tuple[int, bytes]:
    """Total and items of a statement that returns these. Raises psycopg.Error."""
    cursor = connection.cursor(binary=True)
    row = await (await cursor.execute(statement(name), parameters)).fetchone()
    assert row is not None
    return row[0], row[1]
