"""One reader of new readings for all clients of the stream.

It follows the ledger (sql/api/stream.sql), so it misses no reading. The clients read from a shared
history, each at its own pace.
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
from traffic_platform.api.stream.event_history import EventHistory
from traffic_platform.statements import statement

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 15.0
# The reader goes on this long without clients, so that a client that reconnects can resume.
LINGER_SECONDS = 60.0
_RETRY_SECONDS = (0.5, 10.0)  # first and longest wait during a database outage
_MOST_MESSAGES = 5_000  # of a partition generation at a time
_CLIENT_RETRY_MS = 2_000


class LiveReadings:
    """New readings as events: one instance per application, created in its event loop."""

    def __init__(self, database: Database, stopping: asyncio.Event) -> None:
        self._database = database
        self._stopping = stopping
        self._history = EventHistory()
        # The next offset to read, by partition generation (topic_no, partition).
        self._positions: dict[tuple[int, int], int] = {}
        self._arrived = asyncio.Event()
        self._listeners = 0
        self._left_at = 0.0
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def open(self) -> None:
        """Start the reader, unless it runs. Raises psycopg.Error or PoolTimeout if it cannot."""
        async with self._starting:
            self._left_at = time.monotonic()
            if self._reader is None or self._reader.done():
                async with self._database.shared() as connection:
                    rows = await connection.execute(statement("api/stream_positions"))
                    found = await rows.fetchall()
                # Readings stored while no reader ran are in no history, so old ids are invalid.
                self._history = EventHistory()
                self._positions = {(row[0], row[1]): row[2] for row in found}
                self._reader = asyncio.create_task(self._follow(), name="traffic-live")

    async def listen(self, last_event_id: str | None) -> AsyncGenerator[bytes]:
        """Yield events from now on, or after `last_event_id`, until the server stops."""
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
        """Stop the reader."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._reader

    async def _wait(self, arrived: asyncio.Event) -> bool:
        """Wait for an event or the server's end; return False when a heartbeat is due first."""
        waits = [asyncio.ensure_future(event.wait()) for event in (arrived, self._stopping)]
        try:
            done, _ = await asyncio.wait(
                waits, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waits:
                wait.cancel()
        return bool(done)

    async def _follow(self) -> None:
        retry = _RETRY_SECONDS[0]
        while self._listeners or time.monotonic() - self._left_at < LINGER_SECONDS:
            try:
                async with self._database.shared() as connection:
                    more = await self._read(connection)
            except Exception as error:
                known = isinstance(error, psycopg.Error | PoolTimeout)
                text = "Cannot read new readings. The stream tries again in %s s: %s"
                log.warning(text, retry, error, exc_info=None if known else error)
                await asyncio.sleep(retry)
                retry = min(2 * retry, _RETRY_SECONDS[1])
            else:
                retry = _RETRY_SECONDS[0]
                if not more:
                    await asyncio.sleep(POLL_SECONDS)

    async def _read(self, connection: Connection) -> bool:
        """Read new readings; return whether there may be more already."""
        parameters = {
            "topic_nos": [topic_no for topic_no, _ in self._positions],
            "partitions": [partition for _, partition in self._positions],
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


def _mark(event: str, history: EventHistory, number: int) -> bytes:
    return f"id: {history.id_of(number)}\nevent: {event}\ndata: {{}}\n\n".encode()
