"""Which keys hold now: asked of the database together, remembered for seconds.

Every question goes through one task that asks for all keys at once, on a connection of its own: a
thousand wrong keys cost as many look-ups as fit into the time that they take, and a right one waits
for two of these at most. Keys in use are asked about again every second and a half, so that a
revoked or expired one ends whatever it has open.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from traffic_platform.api.database import RECONNECT_SECONDS
from traffic_platform.postgres.connections import connection_arguments
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.5
# A key that was found to hold is believed for so long: less than the five seconds of the promise.
_FRESH_SECONDS = 4.0
_IDLE_SECONDS = 60.0
_MOST_GRANTS = 10_000
_MOST_WAITING = 5_000
_LIMITS = "-c statement_timeout=2s -c default_transaction_read_only=on"
_ANSWER_SECONDS = 2.0

Pool = AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]


class KeysUnknownError(Exception):
    """The database does not say whether a key holds."""


@dataclass(eq=False)
class Grant:
    """A key that holds, and its scopes. When it ends, `ended` is set and `enders` are called."""

    digest: bytes
    key_id: int
    scopes: frozenset[str]
    checked: float
    used: float
    users: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    enders: set[Callable[[], None]] = field(default_factory=set[Callable[[], None]])

    def end(self) -> None:
        """It no longer holds: end what it has open."""
        self.ended.set()
        for ender in list(self.enders):
            ender()


class ApiKeys:
    """The keys that are in use. It must be `watch`ed while it is asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._grants: dict[bytes, Grant] = {}
        self._waiting: dict[bytes, asyncio.Future[Grant | None]] = {}
        self._asked = asyncio.Event()

    async def find(self, digest: bytes) -> Grant | None:
        """What the key of this hash allows; None when there is no such key, or no longer.

        Raises KeysUnknownError when nobody can say.
        """
        now = time.monotonic()
        grant = self._grants.get(digest)
        # The table is reached by the hash of what was sent, which tells nothing of any key; the
        # comparison itself takes as long for any two hashes.
        if grant and hmac.compare_digest(grant.digest, digest):
            grant.used = now
            if now - grant.checked < _FRESH_SECONDS:
                return grant
        if len(self._waiting) >= _MOST_WAITING:
            raise KeysUnknownError("too many keys are being looked up")
        waiting = self._waiting.get(digest)
        if waiting is None:
            waiting = self._waiting[digest] = asyncio.get_running_loop().create_future()
            self._asked.set()
        # One that gives up must not end the others' waiting.
        return await asyncio.shield(waiting)

    @asynccontextmanager
    async def watch(self) -> AsyncGenerator[None]:
        """Answer and check again until the block ends."""
        url = self._settings.reading_url()
        arguments = connection_arguments(url, application_name="traffic-keys", options=_LIMITS)
        pool: Pool = AsyncConnectionPool(
            url,
            kwargs={**arguments, "autocommit": True},
            min_size=0,  # where no key is used, there is no connection
            max_size=1,
            timeout=_ANSWER_SECONDS,
            reconnect_timeout=RECONNECT_SECONDS,
            open=False,
        )
        async with pool:
            task = asyncio.create_task(self._go_on(pool))
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _go_on(self, pool: Pool) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), CHECK_SECONDS)
            self._asked.clear()
            waiting, self._waiting = self._waiting, {}
            try:
                await self._round(pool, waiting)
            except Exception as error:  # the next round may do; without one, keys hold for ever
                log.exception("keys cannot be looked up")
                for future in waiting.values():
                    _settle(future, KeysUnknownError(type(error).__name__))

    async def _round(self, pool: Pool, waiting: dict[bytes, asyncio.Future[Grant | None]]) -> None:
        began = time.monotonic()
        self._forget_idle(began)
        due = {
            digest
            for digest, grant in self._grants.items()
            if began - grant.checked >= CHECK_SECONDS
        }
        wanted = [*due.union(waiting)]
        if not wanted:
            return
        try:
            found = await _look_up(pool, wanted)
        except (psycopg.Error, PoolTimeout, TimeoutError) as error:
            for future in waiting.values():
                _settle(future, KeysUnknownError(type(error).__name__))
            return
        for digest in wanted:
            grant = self._update(digest, found.get(digest), began)
            if digest in waiting:
                _settle(waiting[digest], grant)

    def _update(
        self, digest: bytes, row: tuple[int, frozenset[str]] | None, checked: float
    ) -> Grant | None:
        grant = self._grants.get(digest)
        if row is None or (grant and grant.scopes != row[1]):
            if grant:
                grant.end()
                del self._grants[digest]
            if row is None:
                return None
            grant = None
        if grant is None:
            grant = self._grants[digest] = Grant(digest, *row, checked, checked)
        grant.checked = checked
        return grant

    def _forget_idle(self, now: float) -> None:
        """Keys that nobody uses are not asked about; those with something open always are."""
        free = sorted(
            (grant for grant in self._grants.values() if not grant.users), key=lambda g: g.used
        )
        surplus = len(self._grants) - _MOST_GRANTS
        for number, grant in enumerate(free):
            if number < surplus or now - grant.used > _IDLE_SECONDS:
                del self._grants[grant.digest]


async def _look_up(pool: Pool, digests: list[bytes]) -> dict[bytes, tuple[int, frozenset[str]]]:
    async with asyncio.timeout(2 * _ANSWER_SECONDS), pool.connection() as connection:
        cursor = await connection.execute(statement("keys/find"), {"hashes": digests})
        rows = await cursor.fetchall()
    return {bytes(digest): (key_id, frozenset(scopes)) for digest, key_id, scopes in rows}


def _settle(future: asyncio.Future[Grant | None], outcome: Grant | Exception | None) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        future.exception()  # whoever asked may be gone: that is no error
    else:
        future.set_result(outcome)
