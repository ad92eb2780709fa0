"""HEAD on every route that has GET: the same status and headers, without a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEAD = "traffic.head"
# NiceGUI's own files answer HEAD themselves, and a GET of its socket would start a session.
_NICEGUI = "/_nicegui"


class HeadAsGet:
    """ASGI middleware that serves HEAD as GET. Expensive routes check `is_head` first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request; drop the body of a HEAD."""
        if (
            scope["type"] != "http"
            or scope["method"] != "HEAD"
            or scope["path"].startswith(_NICEGUI)
        ):
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, "method": "GET", _HEAD: True}
        try:
            await self._app(inner, receive, send_without_body)
        finally:
            if "route" in inner:  # the metrics read it from the outer scope
                scope["route"] = inner["route"]


def is_head(request: Request) -> bool:
    """Return whether the client asks only for the headers."""
    return request.scope.get(_HEAD, False)


def headers_alone(media_type: str, headers: Mapping[str, str]) -> StreamingResponse:
    """Return the answer to HEAD for a body of unknown length."""
    return StreamingResponse(iter(()), media_type=media_type, headers=headers)
