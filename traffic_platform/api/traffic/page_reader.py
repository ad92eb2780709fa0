"""A reader of pages that lets waiting requests share one statement and one snapshot.

A snapshot starts after all requests that share it have arrived, so no answer is outdated. With more
clients, more of them share a statement, and each request costs less. During a database outage all
waiting requests fail together, instead of waiting for a connection one after another.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psycopg
from psycopg import errors

from traffic_platform.api.database import Database
from traffic_platform.api.local_dates import Day
from traffic_platform.statements import statement

_STATEMENTS = 3  # at the same time
_MOST_TOGETHER = 12  # requests that share a statement
_LARGE = 250  # readings; a larger page gets its own statement, so that small ones do not wait

Page = tuple[int, bytes]  # the total, and the items as JSON


@dataclass(frozen=True)
class _Request:
    day: Day
    first: int
    size: int
    answer: asyncio.Future[Page]


class PageReader:
    """A reader of pages: one instance per application, created in its event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Request] = []
        self._workers: set[asyncio.Task[None]] = set()

    async def read(self, day: Day, first: int, size: int) -> Page:
        """Return the number of readings of a date, and `size` of them after the first `first`.

        Raises psycopg.Error or PoolTimeout.
        """
        answer: asyncio.Future[Page] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(day, first, size, answer))
        if len(self._workers) < _STATEMENTS:
            worker = asyncio.create_task(self._work(), name="traffic-pages")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return await answer

    async def _work(self) -> None:
        while together := self._take():
            try:
                pages = await self._read(together)
            except Exception as error:
                if _is_outage(error):
                    together += self._waiting
                    self._waiting = []
                for request in together:
                    if not request.answer.done():
                        request.answer.set_exception(error)
            else:
                for request, page in zip(together, pages, strict=True):
                    if not request.answer.done():  # its client may have disconnected
                        request.answer.set_result(page)

    def _take(self) -> list[_Request]:
        """Remove and return the oldest request, with others for the same date."""
        self._waiting = [request for request in self._waiting if not request.answer.done()]
        together: list[_Request] = []
        others: list[_Request] = []
        for request in self._waiting:
            fits = not together or (
                request.day == together[0].day
                and max(request.size, together[0].size) < _LARGE
                and len(together) < _MOST_TOGETHER
            )
            (together if fits else others).append(request)
        self._waiting = others
        return together

    async def _read(self, together: list[_Request]) -> list[Page]:
        parameters = {
            "lower": together[0].day.lower,
            "upper": together[0].day.upper,
            "firsts": [request.first for request in together],
            "sizes": [request.size for request in together],
        }
        async with self._database.connection() as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(statement("api/historical"), parameters)
            return [(row[0], row[1]) for row in await cursor.fetchall()]


def _is_outage(error: Exception) -> bool:
    """Return whether other requests would fail too: no connection, not just a slow statement."""
    return isinstance(error, psycopg.OperationalError) and not isinstance(
        error, errors.QueryCanceled
    )
