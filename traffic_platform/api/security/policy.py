"""What the settings demand of those who ask, decided once at the start."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from traffic_platform.api.security.concurrency_limits import Caps, Kind
from traffic_platform.settings import Settings, listed

# Many enough for a page and its pictures, and for programs that page through days.
_ADDRESS_LIMIT = 6000


@dataclass(frozen=True)
class Policy:
    """`local_reads`: those on this machine need no key. Limits: requests a minute, 0 for none.

    `caps`: most that is open at a time.
    `hosts` and `origins`: names and origins of others that are ours, beside the own ones.
    """

    local_reads: bool
    key_limit: int
    address_limit: int
    open_address_limit: int
    caps: Mapping[Kind, Caps]
    hosts: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """The policy of these settings."""
        limit = settings.api_address_requests_per_minute
        return cls(
            local_reads=settings.api_keys_required == "auto" and is_local(settings.api_host),
            key_limit=settings.api_key_requests_per_minute,
            address_limit=_ADDRESS_LIMIT if limit is None else limit,
            open_address_limit=limit or 0,
            caps={
                "events": Caps(
                    settings.api_streams_per_key,
                    settings.api_streams_per_address,
                    settings.api_streams,
                ),
                "export": Caps(
                    settings.api_exports_per_key,
                    settings.api_exports_per_address,
                    settings.api_exports,
                ),
            },
            hosts=frozenset(name.lower() for name in listed(settings.api_allowed_hosts)),
            origins=frozenset(name.lower() for name in listed(settings.api_cors_origins)),
        )

    def describe(self, settings: Settings) -> str:
        """One line for who starts the API: who may look."""
        where = f"API at {settings.api_host}"
        if self.local_reads:
            return f"{where}: everybody on this machine may read; nobody else reaches it."
        return (
            f"{where}: every request but /health/ needs a key (`traffic keys create NAME`)."
            " Use it behind TLS: keys travel as they are."
        )


@lru_cache(maxsize=256)
def is_local(host: str) -> bool:
    """Whether an address, or the name localhost, means this machine and no other reaches it."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback
