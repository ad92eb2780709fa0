"""The newest reading of every sensor: one database read for all who ask at the same time."""

from __future__ import annotations

import asyncio
import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from traffic_platform.api.database import Database
from traffic_platform.api.models import ReadingPage
from traffic_platform.api.pages import page_content, read_page
from traffic_platform.api.problems import responses
from traffic_platform.api.replies import Content, reply

# What was read is given to all who ask for so long after the read began.
SHARED_SECONDS = 0.25

router = APIRouter(prefix="/api/traffic", tags=["traffic"])


class Current:
    """The newest readings as JSON. Made once for an application, inside its event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._content: Content | None = None
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def content(self) -> Content:
        """What was read at most SHARED_SECONDS ago; read now where that is older.

        Those who ask while it is read wait for that read. Raises psycopg.Error, PoolTimeout.
        """
        async with self._reading:
            began = time.monotonic()
            if self._content is None or began - self._read_at > SHARED_SECONDS:
                self._content = await self._read()
                self._read_at = began
            return self._content

    async def _read(self) -> Content:
        async with self._database.shared() as connection:
            total, items = await read_page(connection, "api/current", {})
        content = page_content(items, total, 1, max(1, total))
        if self._content is not None and content.body == self._content.body:
            return self._content  # with its compressed form
        await asyncio.to_thread(lambda: content.compressed)
        return content


@router.get("/current", response_model=ReadingPage, responses=responses())
async def current(request: Request) -> Response:
    """The newest reading of each sensor that has one of the last 5 minutes, on one page."""
    return reply(request, await request.app.state.current.content())
