"""Route of the newest reading of each sensor. Concurrent requests share one database read."""

from __future__ import annotations

import asyncio
import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from traffic_platform.api.database import Database
from traffic_platform.api.models import ReadingPage
from traffic_platform.api.problems import responses
from traffic_platform.api.replies import Content, reply
from traffic_platform.api.rows import page_content, read_page

# Requests within FRESH_SECONDS after a read began share its result. Later ones start a new read,
# and get the previous result until it is older than OLDEST_SECONDS. Then they wait for the new one.
FRESH_SECONDS = 0.25
OLDEST_SECONDS = 1.0

router = APIRouter(prefix="/api/traffic", tags=["traffic"])


class Current:
    """The newest readings as JSON: one instance per application, created in its event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._content: Content | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[Content] | None = None

    async def content(self) -> Content:
        """Return the newest readings, at most OLDEST_SECONDS old.

        Raises psycopg.Error or PoolTimeout if a necessary read fails.
        """
        age = time.monotonic() - self._read_at
        if self._content is not None and age < FRESH_SECONDS:
            return self._content
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="traffic-current")
            self._reading.add_done_callback(_retrieve_error)
        if self._content is not None and age < OLDEST_SECONDS:
            return self._content
        # A client that disconnects must not cancel the read of the others.
        return await asyncio.shield(self._reading)

    async def _read(self) -> Content:
        began = time.monotonic()
        async with self._database.shared() as connection:
            total, items = await read_page(connection, "api/current", {})
        content = page_content(items, total, 1, max(1, total))
        if self._content is None or content.body != self._content.body:
            await asyncio.to_thread(lambda: content.compressed)
            self._content = content
        self._read_at = began
        return self._content


def _retrieve_error(task: asyncio.Task[Content]) -> None:
    """Keep asyncio from logging a failed read that no request awaits; the next one reads again."""
    if not task.cancelled():
        task.exception()


@router.get("/current", response_model=ReadingPage, responses=responses())
async def current(request: Request) -> Response:
    """The newest reading of each sensor that reported in the last 5 minutes, on one page."""
    return await reply(request, await request.app.state.current.content())
