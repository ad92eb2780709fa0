"""Connection pools of the reading role, with time limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
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
# An export takes as long as its client does, but never longer than this.
EXPORT_SECONDS = 3600
_STALLED_SECONDS = 120
# A pool doubles its wait after each failed attempt to connect, and ignores requests meanwhile. With
# a short limit it gives up and starts again at the next request, so that it notices within seconds
# when the server is back after a long outage.
RECONNECT_SECONDS = 2.0


@dataclass(frozen=True)
class _Pools:
    """Connections of requests, of shared reads for many clients, and of exports."""

    requests: Pool
    shared: Pool
    exports: Pool


class Database:
    """Pools of reading connections. Use `Database.open`."""

    def __init__(self, pools: _Pools) -> None:
        self._pools = pools
        self._timezone: str | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncGenerator[Database]:
        """Open the pools until the block ends. It does not wait for the server: requests do."""
        url = settings.reading_url()
        pools = _Pools(
            requests=_pool(url, "traffic-api", 8, _STATEMENT_SECONDS),
            shared=_pool(url, "traffic-api-shared", 2, _STATEMENT_SECONDS),
            exports=_pool(url, "traffic-api-export", 2, EXPORT_SECONDS),
        )
        async with AsyncExitStack() as stack:
            for pool in (pools.requests, pools.shared, pools.exports):
                await pool.open()
                stack.push_async_callback(pool.close)
            yield cls(pools)

    async def timezone(self) -> str:
        """Return the IANA name of the platform's time zone. It never changes, so it is cached."""
        if self._timezone is None:
            async with self.connection() as connection:
                found = await connection.execute("select timezone from traffic.platform")
                row = await found.fetchone()
            assert row is not None
            self._timezone = str(row[0])
        return self._timezone

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """Yield a connection in autocommit, for statements that need no common snapshot.

        Raises psycopg_pool.PoolTimeout when no connection is free or the server is unavailable.
        """
        async with self._pools.requests.connection() as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[Connection]:
        """Yield a connection whose statements share one snapshot, until the block ends."""
        async with _snapshot(self._pools.requests) as connection:
            yield connection

    @asynccontextmanager
    async def shared(self) -> AsyncGenerator[Connection]:
        """Yield a connection for reads that many clients share. It does not queue behind requests.

        Raises psycopg_pool.PoolTimeout.
        """
        async with self._pools.shared.connection() as connection:
            yield connection

    @asynccontextmanager
    async def export(self) -> AsyncGenerator[Connection]:
        """Yield a snapshot for long reads, of which two run at a time. Raises PoolTimeout."""
        async with _snapshot(self._pools.exports) as connection:
            yield connection


@asynccontextmanager
async def _snapshot(pool: Pool) -> AsyncGenerator[Connection]:
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        yield connection


def _pool(url: str, name: str, size: int, statement_seconds: int) -> Pool:
    # End a transaction whose client stopped reading: an open snapshot holds back vacuum.
    options = (
        f"{_OPTIONS} -c statement_timeout={statement_seconds}s"
        f" -c idle_in_transaction_session_timeout={_STALLED_SECONDS}s"
    )
    arguments = connection_arguments(url, application_name=name, options=options)
    return AsyncConnectionPool(
        url,
        kwargs={**arguments, "autocommit": True},
        min_size=0 if size < 8 else 1,
        max_size=size,
        timeout=_WAIT_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        open=False,
    )
