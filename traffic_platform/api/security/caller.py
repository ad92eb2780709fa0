"""What a request says of who asks, and through what."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from traffic_platform.api.security.policy import Policy, is_local
from traffic_platform.api.security.rate_limits import network_of

if TYPE_CHECKING:
    from starlette.types import Scope

_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via")
_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443"}


@dataclass(frozen=True)
class Caller:
    """One request, as far as admission needs it. `key`: what is said to be one; None: nothing.

    `network`: the address, as it is counted. `here`: it came over this machine's own address, and
    no proxy says that it comes from elsewhere.
    """

    path: str
    key: str | None
    network: str
    here: bool
    host: str
    origin: str | None
    own_origin: bool

    @classmethod
    def of(cls, scope: Scope) -> Caller:
        """Read an ASGI scope of http or websocket."""
        headers = _headers(scope)
        host = headers.get(b"host", "").lower()
        origin = headers.get(b"origin")
        server, client = scope.get("server"), scope.get("client")
        return cls(
            path=scope["path"],
            key=_key(headers),
            network=network_of(client[0]) if client else "",
            here=bool(server and is_local(server[0])) and not _is_forwarded(headers),
            host=_without_port(host),
            origin=origin and origin.lower(),
            own_origin=origin is None or _is_own(origin.lower(), host),
        )

    def host_is_ours(self, policy: Policy) -> bool:
        """Whether the name that was asked for is one of ours.

        A name of somebody else's that leads to this machine (DNS rebinding) would let that one's
        page read, in a browser here, what is open here.
        """
        if self.host in policy.hosts:
            return True
        return is_local(self.host) if policy.local_reads else not policy.hosts

    def origin_is_ours(self, policy: Policy) -> bool:
        """Whether a page of ours asks, or one that settings let in.

        Browsers let any page open a websocket to anywhere, and send what they know of us with it.
        """
        return self.own_origin or self.origin in policy.origins


def _headers(scope: Scope) -> dict[bytes, str]:
    """The headers; of several of one name, the first: which of two is meant, nobody knows."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        found.setdefault(name, value.decode("latin-1"))
    return found


def _is_forwarded(headers: dict[bytes, str]) -> bool:
    return any(name in headers for name in _FORWARDED)


def _key(headers: dict[bytes, str]) -> str | None:
    scheme, _, rest = headers.get(b"authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(rest.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return text.partition(":")[2]
    return headers.get(b"x-api-key")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0]


def _is_own(origin: str, host: str) -> bool:
    """Whether an origin (scheme://host[:port]) has the host and port that were asked for."""
    scheme, separator, place = origin.partition("://")
    default = _PORTS.get(scheme)
    if not separator or default is None:
        return False
    suffix = f":{default}"
    return place.removesuffix(suffix) == host.removesuffix(suffix)
