"""Open responses and websockets, which end with their key or with the server."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from traffic_platform.api.security.api_keys import Grant

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY_VIOLATION = 1008


async def serve_socket(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, grant: Grant
) -> None:
    """Serve a websocket. When its key ends, close it and disconnect the application."""
    closed = False

    async def receive_or_end() -> Message:
        nonlocal closed
        message = await _first(receive, grant.ended)
        if message is None:
            if not closed:
                closed = True
                reason = "the key is no longer valid"
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": reason})
            return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
        return message

    async def send_while_open(message: Message) -> None:
        if not closed:
            await send(message)

    await app(scope, receive_or_end, send_while_open)


async def _first(receive: Callable[[], Awaitable[Message]], ended: asyncio.Event) -> Message | None:
    """Return the next message, or None if `ended` is set first."""
    if ended.is_set():
        return None
    message = asyncio.ensure_future(receive())
    end = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait((message, end), return_when=asyncio.FIRST_COMPLETED)
        return None if end.done() else message.result()
    finally:
        message.cancel()
        end.cancel()


def is_event_stream(message: Message) -> bool:
    """Return whether an ASGI message starts a response of server-sent events."""
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in message.get("headers", ())
    )


class OpenResponses:
    """The responses that are being sent. The server's end ends only event streams at once."""

    def __init__(self) -> None:
        self._streams: weakref.WeakSet[asyncio.Task[object]] = weakref.WeakSet()
        self._cut: weakref.WeakSet[asyncio.Task[object]] = weakref.WeakSet()

    def end_streams(self) -> None:
        """End every event stream as a complete response."""
        for task in list(self._streams):
            self._end(task)

    async def serve(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, grant: Grant | None
    ) -> None:
        """Serve a request until its response is complete or its key ends.

        When the key ends, an event stream ends as a complete response. Any other response is cut
        off, so that its client sees that the file is incomplete.
        """
        task = asyncio.current_task()
        assert task is not None
        streams = False

        async def send_and_track(message: Message) -> None:
            nonlocal streams
            if message["type"] == "http.response.start":
                streams = is_event_stream(message)
                if streams:
                    self._streams.add(task)
            await send(message)

        def end() -> None:
            self._end(task)

        if grant:
            grant.enders.add(end)
            if grant.ended.is_set():
                end()
        try:
            await app(scope, receive, send_and_track)
        except asyncio.CancelledError:
            if task not in self._cut:
                raise
            task.uncancel()
            if streams:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if grant:
                grant.enders.discard(end)
            self._streams.discard(task)

    def _end(self, task: asyncio.Task[object]) -> None:
        if task not in self._cut:
            self._cut.add(task)
            task.cancel()
