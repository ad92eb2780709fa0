"""A temporary file between the database and the client of an export."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable

_BLOCK = 1 << 18  # bytes that are written or sent at once


class Spool:
    """A file that one task fills at the speed of the database, while another reads it.

    So a slow client holds space on the disk instead of a snapshot, which would hold back vacuum.
    The file is in the system's folder for temporary files (`TMPDIR`). It has no name, so that it
    vanishes with the process.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._stored = 0
        self._error: BaseException | None = None
        self._ended = False
        self._grown = asyncio.Event()

    async def fill(self, body: AsyncIterable[bytes]) -> None:
        """Store everything that `body` yields. `blocks` raises its errors, too, and OSError."""
        waiting = bytearray()
        try:
            async for piece in body:
                waiting += piece
                if len(waiting) >= _BLOCK:
                    await self._store(waiting)
                    waiting = bytearray()
            await self._store(waiting)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._ended = True
            self._grown.set()

    async def blocks(self) -> AsyncGenerator[bytes]:
        """Yield the stored bytes in order, while they arise."""
        sent = 0
        while True:
            self._grown.clear()
            while sent < self._stored:
                block = await asyncio.to_thread(os.pread, self._file.fileno(), _BLOCK, sent)
                sent += len(block)
                yield block
            if sent == self._stored and self._ended:
                break
            await self._grown.wait()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Free the space. Nobody may read or write any more."""
        self._file.close()

    async def _store(self, data: bytearray) -> None:
        await asyncio.to_thread(self._append, data)
        self._stored += len(data)
        self._grown.set()

    def _append(self, data: bytearray) -> None:
        self._file.write(data)
        self._file.flush()
