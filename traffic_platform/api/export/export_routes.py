"""Export routes: a date as a file, read in slices of 15 minutes and spooled on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Annotated

from anyio import CancelScope
from fastapi import APIRouter, Depends, Request
from psycopg import sql
from psycopg_pool import PoolTimeout
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from traffic_platform.api.database import EXPORT_SECONDS, Connection, Database
from traffic_platform.api.export.parquet_stream import COLUMNS, ParquetStream
from traffic_platform.api.export.spool import Spool
from traffic_platform.api.head_requests import headers_alone, is_head
from traffic_platform.api.local_dates import Day, get_day
from traffic_platform.api.problems import ProblemError, responses
from traffic_platform.statements import statement

PARQUET = "application/vnd.apache.parquet"
_SLICE = timedelta(minutes=15)
_RETRY_SECONDS = 30

_Body = Callable[[Connection], AsyncGenerator[bytes]]

router = APIRouter(prefix="/api/traffic/export", tags=["export"])


def _file(media_type: str) -> dict[int | str, dict[str, object]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": "The file.", "content": content}, **responses(422)}


@router.get("/{date}.csv", response_class=Response, responses=_file("text/csv"))
async def export_csv(request: Request, day: Annotated[Day, Depends(get_day)]) -> Response:
    """All readings of a date as CSV with a header, by time and sensor.

    The file is one snapshot. If the transfer breaks off, its last chunk is missing. A spreadsheet
    would execute a name that begins with =, +, -, @, a tab or a carriage return. Such a name gets
    an apostrophe in front, unless it is a number. Parquet has the name as it is.
    """

    async def body(connection: Connection) -> AsyncGenerator[bytes]:
        yield f"{','.join(COLUMNS)}\n".encode()
        for lower, upper in _slices(day):
            async for block in _blocks(connection, lower, upper, for_spreadsheets=True):
                yield block

    return await _stream(request, day, "csv", "text/csv; charset=utf-8", body)


@router.get("/{date}.parquet", response_class=Response, responses=_file(PARQUET))
async def export_parquet(request: Request, day: Annotated[Day, Depends(get_day)]) -> Response:
    """All readings of a date as Parquet, by time and sensor. A row group covers 15 minutes.

    The file is one snapshot. If the transfer breaks off, the file has no footer.
    """

    async def body(connection: Connection) -> AsyncGenerator[bytes]:
        stream, loop = ParquetStream(), asyncio.get_running_loop()
        # One thread, since Arrow keeps memory for each thread that it was used in.
        with ThreadPoolExecutor(1) as thread:
            for lower, upper in _slices(day):
                rows = b"".join([block async for block in _blocks(connection, lower, upper)])
                if rows:
                    yield await loop.run_in_executor(thread, stream.write_csv, rows)
            yield await loop.run_in_executor(thread, stream.close)

    return await _stream(request, day, "parquet", PARQUET, body)


class _Export(StreamingResponse):
    """A file that is sent while another task reads the rest from the database."""

    def __init__(
        self,
        stack: AsyncExitStack,
        body: AsyncGenerator[bytes],
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        self._spool = Spool()
        super().__init__(self._spool.blocks(), media_type=media_type, headers=headers)
        self._stack = stack
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reading = asyncio.create_task(self._read(), name="export")
        try:
            async with asyncio.timeout(EXPORT_SECONDS):
                await super().__call__(scope, receive, send)
        finally:
            # A client that disconnects cancels this task. Return the connection first.
            reading.cancel()
            with CancelScope(shield=True):
                await asyncio.gather(reading, return_exceptions=True)
                self._spool.close()

    async def _read(self) -> None:
        """Spool the file and return the connection, which needs no client."""
        async with self._stack:
            try:
                await self._spool.fill(self._body)
            finally:
                await self._body.aclose()


async def _stream(
    request: Request, day: Day, suffix: str, media_type: str, body: _Body
) -> Response:
    """Return the response, with a connection. Raises ProblemError (503) if none is available."""
    headers = {
        "Content-Disposition": f'attachment; filename="traffic-{day.date}.{suffix}"',
        "Cache-Control": "no-store",
    }
    if is_head(request):
        return headers_alone(media_type, headers)
    database: Database = request.app.state.database
    stack = AsyncExitStack()
    try:
        connection = await stack.enter_async_context(database.export())
    except PoolTimeout:
        raise ProblemError(
            503,
            "The database does not answer. Try again later.",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        ) from None
    return _Export(stack, body(connection), media_type, headers)


async def _blocks(
    connection: Connection, lower: datetime, upper: datetime, *, for_spreadsheets: bool = False
) -> AsyncIterator[bytes]:
    query = sql.SQL(statement("api/export_csv")).format(
        lower=sql.Literal(lower),
        upper=sql.Literal(upper),
        for_spreadsheets=sql.Literal(for_spreadsheets),
    )
    async with connection.cursor() as cursor, cursor.copy(query) as copy:
        async for block in copy:
            yield bytes(block)


def _slices(day: Day) -> Iterator[tuple[datetime, datetime]]:
    lower = day.lower
    while lower < day.upper:
        upper = min(lower + _SLICE, day.upper)
        yield lower, upper
        lower = upper
