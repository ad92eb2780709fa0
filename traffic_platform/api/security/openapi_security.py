"""Keys, limits and rejections in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from traffic_platform.api.problems import describe_problem

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`."},
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The key alone.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Any user name, and the key as the password. For browsers.",
    },
}
# The empty requirement: a server on a loopback address needs no key.
_REQUIREMENTS = [{}, *({name: list[str]()} for name in _SCHEMES)]
_REJECTIONS = {
    "401": ("The key is missing or not valid.", ("WWW-Authenticate",)),
    "403": ("The key lacks the scope, or the page's origin is not allowed.", ()),
    "421": ("The host name is unknown.", ()),
    "429": (
        "Too many requests, or too many open event streams or exports.",
        ("Retry-After", "RateLimit", "RateLimit-Policy"),
    ),
}
_HEADERS = {
    "WWW-Authenticate": "The ways to send a key.",
    "Retry-After": "Seconds to wait before the next attempt.",
    "RateLimit": "Remaining requests of each limit (draft-ietf-httpapi-ratelimit-headers).",
    "RateLimit-Policy": "The limits, as requests in a number of seconds.",
}


def describe_security(document: dict[str, Any]) -> None:
    """Add keys, limits and rejections to every operation except those of health."""
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        if path.startswith("/health/"):
            continue
        for operation in operations.values():
            operation["security"] = _REQUIREMENTS
            for status, (meaning, headers) in _REJECTIONS.items():
                operation["responses"].setdefault(status, _rejection(meaning, headers))


def _rejection(meaning: str, headers: tuple[str, ...]) -> dict[str, Any]:
    rejection = describe_problem(meaning)
    if headers:
        rejection["headers"] = {
            name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in headers
        }
    return rejection
