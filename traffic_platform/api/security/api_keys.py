"""The valid API keys, looked up in batches and cached for seconds.

One task looks up all requested keys together, on its own connection. A flood of wrong keys
therefore shares few look-ups, and a valid key waits for at most two of them. Keys in use are
checked again every 1.5 seconds, so that everything a revoked or expired key has open ends.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psycopg

from traffic_platform.api.background import in_background
from traffic_platform.api.database import Pool, new_pool
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.5
# A valid key is cached this long. Revocation takes effect within five seconds, so it is less.
_FRESH_SECONDS = 4.0
_IDLE_SECONDS = 60.0
_MOST_GRANTS = 10_000
_MOST_WAITING = 5_000
_ANSWER_SECONDS = 2


class KeysUnavailableError(Exception):
    """A key cannot be looked up, because the database does not answer."""


@dataclass(eq=False)
class Grant:
    """A valid key and its scopes. When it ends, `ended` is set and `enders` are called."""

    digest: bytes
    key_id: int
    scopes: frozenset[str]
    checked: float
    used: float
    users: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    enders: set[Callable[[], None]] = field(default_factory=set[Callable[[], None]])

    def end(self) -> None:
        """End everything that the key has open."""
        self.ended.set()
        for ender in list(self.enders):
            ender()


class ApiKeys:
    """The API keys in use. `find` works while `watch` is entered."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._grants: dict[bytes, Grant] = {}
        self._waiting: dict[bytes, asyncio.Future[Grant | None]] = {}
        self._asked = asyncio.Event()

    async def find(self, digest: bytes) -> Grant | None:
        """Return the grant of the key with this hash; None for an invalid key.

        Raises KeysUnavailableError if the database does not answer.
        """
        now = time.monotonic()
        grant = self._grants.get(digest)
        # The dictionary is searched by the hash of the sent text, so timing reveals nothing about a
        # key. The comparison takes the same time for any two hashes.
        if grant and hmac.compare_digest(grant.digest, digest):
            grant.used = now
            if now - grant.checked < _FRESH_SECONDS:
                return grant
        if len(self._waiting) >= _MOST_WAITING:
            raise KeysUnavailableError("too many keys are being looked up")
        waiting = self._waiting.get(digest)
        if waiting is None:
            waiting = self._waiting[digest] = asyncio.get_running_loop().create_future()
            self._asked.set()
        # A request that is cancelled must not cancel the look-up for the others.
        return await asyncio.shield(waiting)

    @asynccontextmanager
    async def watch(self) -> AsyncGenerator[None]:
        """Look up and check keys until the block ends."""
        url = self._settings.reading_url()
        async with (
            new_pool(url, "traffic-keys", 1, _ANSWER_SECONDS, _ANSWER_SECONDS) as pool,
            in_background(self._look_up_forever(pool)),
        ):
            yield

    async def _look_up_forever(self, pool: Pool) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), CHECK_SECONDS)
            self._asked.clear()
            waiting, self._waiting = self._waiting, {}
            try:
                await self._round(pool, waiting)
            except Exception as error:  # keep going: without this task, revoked keys stay valid
                log.exception("Cannot look up keys. The next attempt follows.")
                for future in waiting.values():
                    _settle(future, KeysUnavailableError(type(error).__name__))

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
        except (psycopg.Error, TimeoutError) as error:
            for future in waiting.values():
                _settle(future, KeysUnavailableError(type(error).__name__))
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
        """Drop unused keys from the cache, but never a key with an open response."""
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
        future.exception()  # mark it as retrieved: its request may be gone
    else:
        future.set_result(outcome)
