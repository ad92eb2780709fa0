"""What the description of the API (OpenAPI) says of keys and limits."""

from __future__ import annotations

from typing import Any

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`."},
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The key as it is.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Any name, and the key as the password: for browsers.",
    },
}
# Without a key, too: where the API is bound to this machine alone.
_REQUIREMENTS = [{}, *({name: list[str]()} for name in _SCHEMES)]
_REFUSALS = {
    "401": ("No key was sent, or one that does not hold.", ("WWW-Authenticate",)),
    "403": ("The key does not have the scope, or a page of another origin asks.", ()),
    "421": ("The host's name is not known here.", ()),
    "429": (
        "Too many requests, or too many streams or exports open at a time.",
        ("Retry-After", "RateLimit", "RateLimit-Policy"),
    ),
}
_HEADERS = {
    "WWW-Authenticate": "How a key is sent.",
    "Retry-After": "Seconds until it is worth asking again.",
    "RateLimit": "What is left of each limit (draft-ietf-httpapi-ratelimit-headers).",
    "RateLimit-Policy": "The limits, as requests in a window of seconds.",
}


def describe_security(document: dict[str, Any]) -> None:
    """Add keys, limits and refusals to every operation of a document but those of health."""
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        if path.startswith("/health/"):
            continue
        for operation in operations.values():
            operation["security"] = _REQUIREMENTS
            for status, (meaning, headers) in _REFUSALS.items():
                operation["responses"].setdefault(status, _refusal(meaning, headers))


def _refusal(meaning: str, headers: tuple[str, ...]) -> dict[str, Any]:
    refusal: dict[str, Any] = {
        "description": meaning,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    if headers:
        refusal["headers"] = {
            name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in headers
        }
    return refusal
