"""Connection pools of the reading role, with time limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from traffic_platform.postgres.connections import connection_arguments
from traffic_platform.settings import Settings

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]

# PostgreSQL plans each statement once, not for each request. A generic plan still prunes partitions
# when it runs.
_OPTIONS = "-c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan"
_WAIT_SECONDS = 5.0  # for a free connection, before the request fails
# Most requests take milliseconds. PostgreSQL cancels a statement that takes this long.
_STATEMENT_SECONDS = 20
# A client may take this long for an export.
EXPORT_SECONDS = 3600
_STALLED_SECONDS = 120
# A pool doubles its wait after each failed attempt to connect, and ignores requests meanwhile. With
# a short limit it gives up and starts again at the next request, so that it notices within seconds
# when the server is back after a long outage.
_RECONNECT_SECONDS = 2.0


class Database:
    """Pools of reading connections. Use `Database.open`."""

    def __init__(self, requests: Pool, shared: Pool, exports: Pool) -> None:
        self._requests, self._shared, self._exports = requests, shared, exports
        self._timezone: str | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncGenerator[Database]:
        """Open the pools until the block ends. It does not wait for the server: requests do."""
        url = settings.reading_url()
        async with (
            new_pool(url, "traffic-api", 8, _STATEMENT_SECONDS, least=1) as requests,
            new_pool(url, "traffic-api-shared", 2, _STATEMENT_SECONDS) as shared,
            new_pool(url, "traffic-api-export", settings.api_exports, EXPORT_SECONDS) as exports,
        ):
            yield cls(requests, shared, exports)

    async def timezone(self) -> str:
        """Return the IANA name of the platform's time zone. It never changes, so it is cached."""
        if self._timezone is None:
            async with self.connection() as connection:
                found = await connection.execute("select timezone from traffic.platform")
                row = await found.fetchone()
            assert row is not None
            self._timezone = str(row[0])
        return self._timezone

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Yield a connection in autocommit, for statements that need no common snapshot.

        Raises psycopg_pool.PoolTimeout when no connection is free or the server is unavailable.
        """
        return self._requests.connection()

    def snapshot(self) -> AbstractAsyncContextManager[Connection]:
        """Yield a connection whose statements share one snapshot, until the block ends."""
        return _snapshot(self._requests)

    def shared(self) -> AbstractAsyncContextManager[Connection]:
        """Yield a connection for reads that many clients share. It does not queue behind requests.

        Raises psycopg_pool.PoolTimeout.
        """
        return self._shared.connection()

    def export(self) -> AbstractAsyncContextManager[Connection]:
        """Yield a snapshot for long reads. Each export in progress has one. Raises PoolTimeout."""
        return _snapshot(self._exports)


@asynccontextmanager
async def _snapshot(pool: Pool) -> AsyncGenerator[Connection]:
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        yield connection


def new_pool(
    url: str,
    name: str,
    size: int,
    statement_seconds: int,
    wait_seconds: float = _WAIT_SECONDS,
    *,
    least: int = 0,
) -> Pool:
    """Return a pool that is not open yet. It connects as needed, and keeps `least` connections."""
    # End a transaction whose client stopped reading: an open snapshot holds back vacuum.
    options = (
        f"{_OPTIONS} -c statement_timeout={statement_seconds}s"
        f" -c idle_in_transaction_session_timeout={_STALLED_SECONDS}s"
    )
    arguments = connection_arguments(url, application_name=name, options=options)
    return AsyncConnectionPool(
        url,
        kwargs={**arguments, "autocommit": True},
        min_size=least,
        max_size=size,
        timeout=wait_seconds,
        reconnect_timeout=_RECONNECT_SECONDS,
        open=False,
    )
