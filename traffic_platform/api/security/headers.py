"""Security headers: browsers load nothing from other hosts and show no page in a frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Message, Scope, Send

Header = tuple[bytes, bytes]

# NiceGUI writes scripts and styles into the page, and Vue compiles templates in the browser.
# Without 'unsafe-inline' and 'unsafe-eval' the page stays empty. Nothing comes from other hosts.
_PAGE_SCRIPTS = "'self' 'unsafe-inline' 'unsafe-eval'"


def content_security_policy(images: Sequence[str] = (), script: str = _PAGE_SCRIPTS) -> str:
    """Return a policy that allows only this server.

    images: further origins of pictures, such as map tiles. script: the allowed sources of scripts.
    """
    policy = {
        "default-src": "'self'",
        "script-src": script,
        "style-src": "'self' 'unsafe-inline'",
        "img-src": " ".join(("'self' data: blob:", *images)),
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


def security_headers(images: Sequence[str] = ()) -> tuple[Header, ...]:
    """Return the headers of every response."""
    return (
        (b"content-security-policy", content_security_policy(images).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        # Tile servers want to know which site shows their tiles.
        (b"referrer-policy", b"strict-origin-when-cross-origin" if images else b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    )


_TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")
# Only CORSMiddleware may send these. NiceGUI's websocket would allow every origin.
_CORS = b"access-control-"


def without_shared_cache(send: Send) -> Send:
    """Return a `send` that keeps responses to a key out of shared caches.

    Caches know that rule for `Authorization`, but not for `X-API-Key`. Responses marked public,
    such as the dashboard's scripts, stay public.
    """

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message.get("headers", ())]
            control = b", ".join(value for name, value in headers if name == b"cache-control")
            if not any(word in control for word in (b"private", b"no-store", b"public")):
                rest = [header for header in headers if header[0] != b"cache-control"]
                value = b"private, " + control if control else b"private"
                message = {**message, "headers": [*rest, (b"cache-control", value)]}
        await send(message)

    return send_private


def with_headers(scope: Scope, send: Send, added: Iterable[Header]) -> Send:
    """Return a `send` that adds headers the response lacks and drops its CORS headers."""
    wanted = (*added, _TLS_ONLY) if scope.get("scheme") in ("https", "wss") else tuple(added)

    async def send_with(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            own = [
                (name, value)
                for name, value in message.get("headers", ())
                if not name.lower().startswith(_CORS)
            ]
            names = {name.lower() for name, _ in own}
            more = [header for header in wanted if header[0] not in names]
            message = {**message, "headers": [*own, *more]}
        await send(message)

    return send_with
