"""The caller of a request: its key, address, host name and origin."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from traffic_platform.api.security.policy import Policy, is_local
from traffic_platform.api.security.rate_limits import network_of

if TYPE_CHECKING:
    from starlette.types import Scope

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443"}


@dataclass(frozen=True)
class Caller:
    """The parts of a request that decide about admission.

    key: the text sent as a key, None without one. network: the address that limits count.
    is_local: it came over a loopback address, and no header shows that a proxy forwarded it.
    """

    path: str
    key: str | None
    network: str
    is_local: bool
    host: str
    origin: str | None
    own_origin: bool

    @classmethod
    def of(cls, scope: Scope) -> Caller:
        """Read an ASGI scope of type http or websocket."""
        headers = Headers(scope=scope)  # of a name that occurs several times, the first counts
        host = headers.get("host", "").lower()
        origin = headers.get("origin")
        server, client = scope.get("server"), scope.get("client")
        return cls(
            path=scope["path"],
            key=_key(headers),
            network=network_of(client[0]) if client else "",
            is_local=bool(server and is_local(server[0]))
            and not any(name in headers for name in _FORWARDED),
            host=_without_port(host),
            origin=origin and origin.lower(),
            own_origin=origin is None or _is_same_origin(origin.lower(), host),
        )

    def has_known_host(self, policy: Policy) -> bool:
        """Return whether the requested host name belongs to this server.

        An attacker could point a name at this machine (DNS rebinding). The attacker's page could
        then read the API through a browser here.
        """
        if self.host in policy.hosts:
            return True
        return is_local(self.host) if policy.local_reads else not policy.hosts

    def has_known_origin(self, policy: Policy) -> bool:
        """Return whether the request comes from a page of this server or of an allowed origin.

        Any page can open a websocket to any server, and the browser sends stored credentials along.
        """
        return self.own_origin or self.origin in policy.origins


def _key(headers: Headers) -> str | None:
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(rest.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return text.partition(":")[2]
    return headers.get("x-api-key")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0]


def _is_same_origin(origin: str, host: str) -> bool:
    """Return whether an origin (scheme://host[:port]) has the requested host and port."""
    scheme, separator, origin_host = origin.partition("://")
    default = _PORTS.get(scheme)
    if not separator or default is None:
        return False
    suffix = f":{default}"
    return origin_host.removesuffix(suffix) == host.removesuffix(suffix)
