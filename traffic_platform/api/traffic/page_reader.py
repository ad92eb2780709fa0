"""Pages of dates for many clients: those who wait share one statement and one snapshot.

A snapshot begins after all who share it have asked, so nobody is told what was true before. The
more clients there are, the more share, and the less each costs. While the database is away they
share that, too: who waits is told with the first who is, and does not wait for a turn to wait.
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
_MOST_TOGETHER = 12
_LARGE = 250  # readings; a larger page is read alone, so that small ones do not wait for it

Page = tuple[int, bytes]  # the total, and the items as JSON


@dataclass(frozen=True)
class _Wanted:
    day: Day
    first: int
    size: int
    answer: asyncio.Future[Page]


class PageReader:
    """Reads pages. Made once for an application, inside its event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Wanted] = []
        self._workers: set[asyncio.Task[None]] = set()

    async def read(self, day: Day, first: int, size: int) -> Page:
        """The total of a date, and `size` of its readings behind the first `first`.

        Raises psycopg.Error, PoolTimeout.
        """
        answer: asyncio.Future[Page] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Wanted(day, first, size, answer))
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
                if _is_away(error):
                    together += self._waiting
                    self._waiting = []
                for wanted in together:
                    if not wanted.answer.done():
                        wanted.answer.set_exception(error)
            else:
                for wanted, page in zip(together, pages, strict=True):
                    if not wanted.answer.done():  # its client may have left
                        wanted.answer.set_result(page)

    def _take(self) -> list[_Wanted]:
        """The one who waits longest, and others who ask for the same date."""
        self._waiting = [wanted for wanted in self._waiting if not wanted.answer.done()]
        together: list[_Wanted] = []
        others: list[_Wanted] = []
        for wanted in self._waiting:
            fits = not together or (
                wanted.day == together[0].day
                and max(wanted.size, together[0].size) < _LARGE
                and len(together) < _MOST_TOGETHER
            )
            (together if fits else others).append(wanted)
        self._waiting = others
        return together

    async def _read(self, together: list[_Wanted]) -> list[Page]:
        parameters = {
            "lower": together[0].day.lower,
            "upper": together[0].day.upper,
            "firsts": [wanted.first for wanted in together],
            "sizes": [wanted.size for wanted in together],
        }
        async with self._database.connection() as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(statement("api/historical"), parameters)
            return [(row[0], row[1]) for row in await cursor.fetchall()]


def _is_away(error: Exception) -> bool:
    """Whether others would be told the same: no connection, as opposed to one slow statement."""
    return isinstance(error, psycopg.OperationalError) and not isinstance(
        error, errors.QueryCanceled
    )
