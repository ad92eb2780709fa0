"""The real application with further routes that stay open until a test ends them.

    python -m traffic_platform_tests.security.api.application FOLDER

`/test/slow` creates FOLDER/begun and answers when FOLDER/finish exists.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from fastapi import WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse

from traffic_platform.api.app import create_app
from traffic_platform.api.serve import serve
from traffic_platform.dashboard.mount import mount
from traffic_platform.settings import load_settings


async def _first_then_wait(first: bytes) -> AsyncGenerator[bytes]:
    yield first
    await asyncio.Event().wait()


def main() -> None:
    """Serve the API, the dashboard and the routes of the tests."""
    folder = Path(sys.argv[1])
    settings = load_settings()
    app = create_app(settings)

    @app.get("/test/slow", include_in_schema=False)
    async def slow() -> PlainTextResponse:
        (folder / "begun").touch()
        while not (folder / "finish").exists():
            await asyncio.sleep(0.01)
        return PlainTextResponse("done")

    @app.get("/test/events", include_in_schema=False)
    async def events() -> StreamingResponse:
        return StreamingResponse(_first_then_wait(b"data: 1\n\n"), media_type="text/event-stream")

    @app.get("/test/download", include_in_schema=False)
    async def download() -> StreamingResponse:
        return StreamingResponse(_first_then_wait(b"a,b\n"), media_type="text/csv")

    @app.get("/api/traffic/export/test", include_in_schema=False)
    async def export() -> PlainTextResponse:
        return PlainTextResponse("rows")

    @app.websocket("/test/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())

    mount(app)
    serve(app, settings)


if __name__ == "__main__":
    main()
