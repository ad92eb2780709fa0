"""PostgreSQL as the API reads it: a few connections of the reading role, and time limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from traffic_platform.ingest.connections import connection_arguments
from traffic_platform.settings import Settings

Connection = AsyncConnection[tuple[Any, ...]]

# Most requests take milliseconds; one that takes this long is ended by the server.
_LIMITS = "-c statement_timeout=20s -c default_transaction_read_only=on"
_POOL_SIZE = 8
_WAIT_SECONDS = 5.0  # for a free connection, after which the request is refused


class Database:
    """A pool of reading connections. Use `Database.open`."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool
        self._timezone: str | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncGenerator[Database]:
        """The pool, closed at the end. A server that is away is waited for by each request."""
        arguments = connection_arguments(
            settings.reading_url(), application_name="traffic-api", options=_LIMITS
        )
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            settings.reading_url(),
            kwargs={**arguments, "autocommit": True},
            min_size=1,
            max_size=_POOL_SIZE,
            timeout=_WAIT_SECONDS,
            open=False,
        )
        await pool.open()
        try:
            yield cls(pool)
        finally:
            await pool.close()

    async def timezone(self) -> str:
        """IANA name of the zone whose days are dates. It never changes, so it is asked once."""
        if self._timezone is None:
            async with self.connection() as connection:
                found = await connection.execute("select timezone from traffic.platform")
                row = await found.fetchone()
            assert row is not None
            self._timezone = str(row[0])
        return self._timezone

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection in autocommit, for one statement or several that need not agree.

        Raises psycopg_pool.PoolTimeout when none becomes free, or the server is away.
        """
        async with self._pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[Connection]:
        """A connection whose statements all see one moment, until the block ends."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("set transaction isolation level repeatable read, read only")
            yield connection
