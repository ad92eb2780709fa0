"""HEAD wherever there is GET: the same status and headers, and no body."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEAD = "traffic.head"
# NiceGUI's own files answer HEAD themselves, and a GET of its socket begins a session.
_NOT_OURS = "/_nicegui"


class HeadAsGet:
    """ASGI middleware that has routes answer HEAD as GET. What costs much asks `is_head` first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve; of a HEAD, leave out the body."""
        if (
            scope["type"] != "http"
            or scope["method"] != "HEAD"
            or scope["path"].startswith(_NOT_OURS)
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
            if "route" in inner:  # those who count outside look for it
                scope["route"] = inner["route"]


def is_head(request: Request) -> bool:
    """Whether only the headers are asked for."""
    return request.scope.get(_HEAD, False)


def headers_alone(media_type: str, headers: Mapping[str, str]) -> StreamingResponse:
    """The answer to HEAD of a body whose length nobody knows before it is made."""
    return StreamingResponse(_nothing(), media_type=media_type, headers=headers)


async def _nothing() -> AsyncGenerator[bytes]:
    for part in ():
        yield part
