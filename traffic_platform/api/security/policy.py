"""The access policy, derived once from the settings."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from traffic_platform.api.security.concurrency_limits import Caps, Kind
from traffic_platform.settings import Settings, listed

# Enough for the dashboard with its images, and for programs that read many pages.
_ADDRESS_LIMIT = 6000


@dataclass(frozen=True)
class Policy:
    """The access policy of a server.

    local_reads: clients on this machine need no key. *_limit: requests a minute, 0 for no limit.
    caps: the most open event streams and exports. hosts, origins: further allowed names.
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
        """Return the policy of these settings."""
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
        """Return one line about the required key, for the operator who starts the API."""
        api = f"API at {settings.api_host}"
        if self.local_reads:
            return (
                f"{api}: every user of this machine may read without a key; others cannot connect."
            )
        return (
            f"{api}: every request except /health/ needs a key (`traffic keys create NAME`)."
            " Put TLS in front of it, because keys are sent unencrypted."
        )


@lru_cache(maxsize=256)
def is_local(host: str) -> bool:
    """Return whether an address or name is a loopback address, which no other machine reaches."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback
