"""Refusing a request: a problem document of RFC 9457, for HTTP and for websockets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from traffic_platform.api.security.concurrency_limits import Kind, Limit

if TYPE_CHECKING:
    from starlette.types import Scope, Send

_PLACE_SECONDS = 30

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused. `headers` say how it would not be."""

    status: HTTPStatus
    detail: str
    headers: tuple[Header, ...] = ()

    async def send(self, scope: Scope, send: Send) -> None:
        """Answer with it. A websocket that cannot be told more is closed, which means 403."""
        kind = "http.response"
        if scope["type"] == "websocket":
            kind = "websocket.http.response"
            if kind not in scope.get("extensions", {}):
                await send({"type": "websocket.close", "code": 1008, "reason": self.detail})
                return
        body = json.dumps(
            {
                "type": "about:blank",
                "title": self.status.phrase,
                "status": int(self.status),
                "detail": self.detail,
                "instance": scope["path"],
            }
        ).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *self.headers,
        ]
        await send({"type": f"{kind}.start", "status": int(self.status), "headers": headers})
        await send({"type": f"{kind}.body", "body": body})


def no_key(said: bool) -> Refusal:
    """Nobody has said who asks, or what was said is no key that holds."""
    detail = (
        "This key does not hold: it is unknown, expired or revoked."
        if said
        else "A key is needed: as Authorization: Bearer, as X-API-Key, or as the password of Basic."
    )
    challenges = (b'Bearer realm="traffic_platform"', b'Basic realm="traffic_platform"')
    return Refusal(
        HTTPStatus.UNAUTHORIZED, detail, tuple((b"www-authenticate", each) for each in challenges)
    )


def missing_scope(scope: str) -> Refusal:
    """The key holds, and does not allow this."""
    challenge = f'Bearer realm="traffic_platform", error="insufficient_scope", scope="{scope}"'
    return Refusal(
        HTTPStatus.FORBIDDEN,
        f"This key does not have the scope {scope!r}.",
        ((b"www-authenticate", challenge.encode()),),
    )


def too_many(seconds: int, why: str, headers: Iterable[Header] = ()) -> Refusal:
    """A limit is reached for some seconds."""
    retry = (b"retry-after", str(seconds).encode())
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, why, (retry, *headers))


def too_many_open(kind: Kind, limit: Limit) -> Refusal:
    """No place is left for what stays open, until somebody ends what they have."""
    what = {"events": "streams of events", "export": "exports"}[kind]
    whose = "" if limit == "all" else f" of this {limit}"
    return too_many(_PLACE_SECONDS, f"Too many {what}{whose} are open: end one, or wait for one.")


def keys_unknown() -> Refusal:
    """The database does not answer, so nobody can say whether the key holds."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database does not answer, so nobody can say whether this key holds. Ask again.",
        ((b"retry-after", b"5"),),
    )
