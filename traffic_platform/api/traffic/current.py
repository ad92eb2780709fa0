"""The newest reading of every sensor: one database read for all who ask at the same time."""

from __future__ import annotations

import asyncio
import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from traffic_platform.api.database import Database
from traffic_platform.api.models import ReadingPage
from traffic_platform.api.problems import responses
from traffic_platform.api.replies import Content, reply
from traffic_platform.api.traffic.pages import page_content, read_page

# What was read is given to all who ask within this time (s) after the read began. Then it is read
# again, and whoever asks meanwhile gets the last, up to an age at which one would rather wait.
FRESH_SECONDS = 0.25
OLDEST_SECONDS = 1.0

router = APIRouter(prefix="/api/traffic", tags=["traffic"])


class Current:
    """The newest readings as JSON. Made once for an application, inside its event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._content: Content | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[Content] | None = None

    async def content(self) -> Content:
        """The newest readings, as they were at most OLDEST_SECONDS ago.

        Raises psycopg.Error, PoolTimeout when they have to be read and cannot.
        """
        age = time.monotonic() - self._read_at
        if self._content is not None and age < FRESH_SECONDS:
            return self._content
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="traffic-current")
            self._reading.add_done_callback(_look_at)
        if self._content is not None and age < OLDEST_SECONDS:
            return self._content
        # One who leaves does not end the read for the others.
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


def _look_at(task: asyncio.Task[Content]) -> None:
    """Nobody may wait for a read that fails: the next who asks tries again."""
    if not task.cancelled():
        task.exception()


@router.get("/current", response_model=ReadingPage, responses=responses())
async def current(request: Request) -> Response:
    """The newest reading of each sensor that has one of the last 5 minutes, on one page."""
    return await reply(request, await request.app.state.current.content())
