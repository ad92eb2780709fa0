"""The middleware that keeps pages of other sites from using Dagster's webserver.

Dagster's webserver has no login, and by itself it executes mutations of any origin, by GET and as
text/plain (tried with 1.13). A page that is open in the operator's browser could so stop a sensor
or wipe assets.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.datastructures import Headers

from traffic_platform.api.security.caller import Caller
from traffic_platform.api.security.headers import with_headers
from traffic_platform.api.security.policy import Policy
from traffic_platform.api.security.rejections import UNKNOWN_HOST, Rejection
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Dagster sets its own policy of content, which must allow its scripts.
_HEADERS = (
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_READING = ("GET", "HEAD", "OPTIONS")

_UNKNOWN_ORIGIN = Rejection(
    HTTPStatus.FORBIDDEN, "Pages of other sites may not use Dagster. Open its own page."
)
_QUERY_BY_GET = Rejection(
    HTTPStatus.METHOD_NOT_ALLOWED,
    "A GraphQL query in the URL is not executed. Send it by POST as application/json.",
    ((b"allow", b"POST"),),
)
_NOT_JSON = Rejection(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "Dagster takes only requests as application/json. Set the header Content-Type.",
)


class RequestGuard:
    """ASGI middleware around Dagster's webserver. It admits no request of another site's page.

    A browser sends `Origin` with every request of a page to another site, except for images and
    links, which use GET. It sends application/json only after the server has allowed it.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        # Origins that may read the API may not start runs. Names of this machine are always known.
        self._policy = replace(Policy.of(settings), local_reads=True, origins=frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or reject a request or a websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        send = with_headers(scope, send, _HEADERS)
        rejection = self._check(scope)
        if rejection is not None:
            await rejection.send(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> Rejection | None:
        caller = Caller.of(scope)
        if not caller.has_known_host(self._policy):
            return UNKNOWN_HOST
        if not caller.has_known_origin(self._policy):
            return _UNKNOWN_ORIGIN
        return _check_content(scope) if scope["type"] == "http" else None


def _check_content(scope: Scope) -> Rejection | None:
    """Return why a request is rejected that another page may cause without an `Origin`."""
    if scope["method"] in _READING:
        asked = parse_qs(scope["query_string"], keep_blank_values=True)
        return _QUERY_BY_GET if scope["path"].endswith("/graphql") and b"query" in asked else None
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0]
    return None if kind.strip().lower() == "application/json" else _NOT_JSON
