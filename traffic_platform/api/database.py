"""PostgreSQL as the API reads it: a few connections of the reading role, and time limits."""

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

# Statements are planned once, not for each request: a plan for unknown bounds still leaves out the
# partitions that they rule out.
_OPTIONS = "-c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan"
_WAIT_SECONDS = 5.0  # for a free connection, after which the request is refused
# Most requests take milliseconds; one that takes this long is ended by the server.
_STATEMENT_SECONDS = 20
# An export takes as long as its client does, and no longer than this in all.
EXPORT_SECONDS = 3600
_STALLED_SECONDS = 120
# A pool that tries to connect waits twice as long after each failure, and meanwhile does not look
# when somebody asks. Given up so soon, it begins anew with the next who asks: after a long outage
# nobody waits for minutes until it notices that the server is back.
RECONNECT_SECONDS = 2.0


@dataclass(frozen=True)
class _Pools:
    """Connections of requests, of what reads for many listeners, and of exports."""

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
        """The pools, closed at the end. A server that is away is waited for by each request."""
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
        async with self._pools.requests.connection() as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[Connection]:
        """A connection whose statements all see one moment, until the block ends."""
        async with _snapshot(self._pools.requests) as connection:
            yield connection

    @asynccontextmanager
    async def shared(self) -> AsyncGenerator[Connection]:
        """A connection for what is read once for many: it does not queue behind requests."""
        async with self._pools.shared.connection() as connection:
            yield connection

    @asynccontextmanager
    async def export(self) -> AsyncGenerator[Connection]:
        """A snapshot for long reads, of which few run at a time. Raises PoolTimeout."""
        async with _snapshot(self._pools.exports) as connection:
            yield connection


@asynccontextmanager
async def _snapshot(pool: Pool) -> AsyncGenerator[Connection]:
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        yield connection


def _pool(url: str, name: str, size: int, statement_seconds: int) -> Pool:
    # A client that takes nothing for so long is given up: it holds back vacuum.
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
