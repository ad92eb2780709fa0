"""Rejections of requests, as problem documents (RFC 9457), for HTTP and websockets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from traffic_platform.api.problems import problem_response
from traffic_platform.api.security.concurrency_limits import Kind, Limit
from traffic_platform.api.security.headers import Header

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_FREE_SECONDS = 30  # a guess at the time until a client ends a stream or an export


@dataclass(frozen=True)
class Rejection:
    """A rejected request. headers: hints that help the client to succeed."""

    status: HTTPStatus
    detail: str
    headers: tuple[Header, ...] = ()

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the problem, or close a websocket whose server supports no response."""
        if scope["type"] == "websocket" and "websocket.http.response" not in scope.get(
            "extensions", {}
        ):
            await send({"type": "websocket.close", "code": 1008, "reason": self.detail})
            return
        response = problem_response(
            scope["path"], self.status, self.detail, headers={"Cache-Control": "no-store"}
        )
        response.raw_headers += self.headers  # WWW-Authenticate occurs twice
        await response(scope, receive, send)


UNKNOWN_HOST = Rejection(
    HTTPStatus.MISDIRECTED_REQUEST,
    "This server does not know the requested host name. Add it to TRAFFIC_API_ALLOWED_HOSTS.",
)
UNKNOWN_ORIGIN = Rejection(
    HTTPStatus.FORBIDDEN,
    "Pages of this origin may not read the API. Add it to TRAFFIC_API_CORS_ORIGINS.",
)
KEYS_UNAVAILABLE = Rejection(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The database does not answer, so the key cannot be checked. Try again later.",
    ((b"retry-after", b"5"),),
)


def invalid_key(sent: bool) -> Rejection:
    """Return the rejection of a request with an invalid key (sent) or without a key."""
    detail = (
        "This key is not valid: it is unknown, expired or revoked."
        if sent
        else "A key is needed. Send it as Authorization: Bearer, as X-API-Key, or as the password"
        " of Basic."
    )
    challenges = (b'Bearer realm="traffic_platform"', b'Basic realm="traffic_platform"')
    return Rejection(
        HTTPStatus.UNAUTHORIZED, detail, tuple((b"www-authenticate", each) for each in challenges)
    )


def missing_scope(scope: str) -> Rejection:
    """Return the rejection of a valid key that lacks a scope."""
    challenge = f'Bearer realm="traffic_platform", error="insufficient_scope", scope="{scope}"'
    return Rejection(
        HTTPStatus.FORBIDDEN,
        f"This key lacks the scope {scope!r}. Use a key that has it.",
        ((b"www-authenticate", challenge.encode()),),
    )


def too_many_requests(seconds: int, detail: str, headers: Iterable[Header] = ()) -> Rejection:
    """Return the rejection of a request over a limit. seconds: the time to wait."""
    retry = (b"retry-after", str(seconds).encode())
    return Rejection(HTTPStatus.TOO_MANY_REQUESTS, detail, (retry, *headers))


def too_many_open(kind: Kind, limit: Limit) -> Rejection:
    """Return the rejection of an event stream or an export over a limit of open ones."""
    noun = {"events": "event streams", "export": "exports"}[kind]
    owner = "" if limit == "all" else f" of this {limit}"
    return too_many_requests(
        _FREE_SECONDS, f"Too many {noun}{owner} are open. Close one, or wait until one ends."
    )
