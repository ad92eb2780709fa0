"""One reader of new readings for all who listen.

It follows the ledger (sql/api/stream.sql), so that nothing is missed. Listeners read from a history
that they share, each at its own pace.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator

import psycopg
from psycopg_pool import PoolTimeout

from traffic_platform.api.database import Connection, Database
from traffic_platform.api.stream.event_history import History
from traffic_platform.statements import statement

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 15.0
# So long the history goes on for those who come back, when nobody listens.
LINGER_SECONDS = 60.0
_RETRY_SECONDS = (0.5, 10.0)  # first and longest wait while the database is away
_MOST_MESSAGES = 5_000  # of a log at a time
_CLIENT_RETRY_MS = 2_000


class LiveReadings:
    """New readings as server-sent events. Made once for an application, inside its event loop."""

    def __init__(self, database: Database, stopping: asyncio.Event) -> None:
        self._database = database
        self._stopping = stopping
        self._history = History()
        self._positions: dict[tuple[int, int], int] = {}
        self._arrived = asyncio.Event()
        self._listeners = 0
        self._left_at = 0.0
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def open(self) -> None:
        """Let the reader run. Raises psycopg.Error, PoolTimeout when it cannot begin."""
        async with self._starting:
            self._left_at = time.monotonic()
            if self._reader is None or self._reader.done():
                async with self._database.shared() as connection:
                    rows = await connection.execute(statement("api/stream_positions"))
                    found = await rows.fetchall()
                # What was stored in between is in nobody's history, so old ids mean nothing.
                self._history = History()
                self._positions = {(row[0], row[1]): row[2] for row in found}
                self._reader = asyncio.create_task(self._read_on(), name="traffic-live")

    async def listen(self, last_event_id: str | None) -> AsyncGenerator[bytes]:
        """Events from now on, or from behind `last_event_id`; ends when the server does."""
        history = self._history
        self._listeners += 1
        try:
            number = history.newest if last_event_id is None else history.number_of(last_event_id)
            yield f"retry: {_CLIENT_RETRY_MS}\n".encode()
            if number is None:
                number = history.newest
                yield _mark("reset", history, number)
            elif last_event_id is None:
                yield _mark("ready", history, number)
            else:
                yield b": resumed\n\n"
            while not self._stopping.is_set() and history is self._history:
                arrived = self._arrived
                if not history.reaches(number):
                    number = history.newest
                    yield _mark("reset", history, number)
                events, number = history.after(number)
                if events:
                    yield events
                elif not await self._wait(arrived):
                    yield b": heartbeat\n\n"
        finally:
            self._listeners -= 1
            self._left_at = time.monotonic()

    async def close(self) -> None:
        """End the reader."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._reader

    async def _wait(self, arrived: asyncio.Event) -> bool:
        """Wait for events, the end, or a heartbeat's time; whether it was none of the last."""
        waits = [asyncio.ensure_future(event.wait()) for event in (arrived, self._stopping)]
        try:
            done, _ = await asyncio.wait(
                waits, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waits:
                wait.cancel()
        return bool(done)

    async def _read_on(self) -> None:
        retry = _RETRY_SECONDS[0]
        while self._listeners or time.monotonic() - self._left_at < LINGER_SECONDS:
            try:
                async with self._database.shared() as connection:
                    more = await self._read(connection)
            except Exception as error:
                known = isinstance(error, psycopg.Error | PoolTimeout)
                text = "new readings cannot be read, and will be: %s"
                log.warning(text, error, exc_info=None if known else error)
                await asyncio.sleep(retry)
                retry = min(2 * retry, _RETRY_SECONDS[1])
            else:
                retry = _RETRY_SECONDS[0]
                if not more:
                    await asyncio.sleep(POLL_SECONDS)

    async def _read(self, connection: Connection) -> bool:
        """Read what is new; whether there may be more already."""
        where = list(self._positions)
        parameters = {
            "topic_nos": [topic_no for topic_no, _ in where],
            "partitions": [partition for _, partition in where],
            "positions": list(self._positions.values()),
            "most": _MOST_MESSAGES,
        }
        rows = await (await connection.execute(statement("api/stream"), parameters)).fetchall()
        more = False
        readings: list[str] = []
        for topic_no, partition, upto, found in rows:
            before = self._positions.get((topic_no, partition))
            more = more or before is None or upto - before == _MOST_MESSAGES
            self._positions[topic_no, partition] = upto
            readings += found or []
        if readings:
            self._history.add(readings)
            self._arrived.set()
            self._arrived = asyncio.Event()
        return more


def _mark(event: str, history: History, number: int) -> bytes:
    return f"id: {history.id_of(number)}\nevent: {event}\ndata: {{}}\n\n".encode()
