"""What every response tells browsers: load nothing from elsewhere, show us nowhere else."""

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
    """The headers of every response."""
    return (
        (b"content-security-policy", content_security_policy(images).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        # Servers of map tiles ask who shows them.
        (b"referrer-policy", b"strict-origin-when-cross-origin" if images else b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    )


_TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")
# Said by parts that think that they are alone (NiceGUI's websocket allows every origin).
_OURS_ALONE = b"access-control-"


def for_one_only(send: Send) -> Send:
    """A `send` of what a key opened: no cache that others share may keep it.

    Caches know that of `Authorization`, but not of `X-API-Key`. What says that it is public, as the
    page's scripts, stays so.
    """

    async def send_for_one(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message.get("headers", ())]
            said = b", ".join(value for name, value in headers if name == b"cache-control")
            if not any(word in said for word in (b"private", b"no-store", b"public")):
                rest = [header for header in headers if header[0] != b"cache-control"]
                value = b"private, " + said if said else b"private"
                message = {**message, "headers": [*rest, (b"cache-control", value)]}
        await send(message)

    return send_for_one


def with_headers(scope: Scope, send: Send, added: Iterable[Header]) -> Send:
    """A `send` that adds headers to the response's own, which win, and lets no other origin in."""
    wanted = (*added, _TLS_ONLY) if scope.get("scheme") in ("https", "wss") else tuple(added)

    async def send_with(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            own = [
                (name, value)
                for name, value in message.get("headers", ())
                if not name.lower().startswith(_OURS_ALONE)
            ]
            names = {name.lower() for name, _ in own}
            more = [header for header in wanted if header[0] not in names]
            message = {**message, "headers": [*own, *more]}
        await send(message)

    return send_with
