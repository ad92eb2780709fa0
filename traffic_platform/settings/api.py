"""Settings of the API: its address, its access and its limits."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from traffic_platform.settings.subject import FirstPort, Limit, SubjectSettings, listed

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:]+")
_ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]+)?")


def _require_each(is_valid: Callable[[str], object], advice: str) -> AfterValidator:
    """Return a validator of a list with commas that names the first invalid item."""

    def check(value: str) -> str:
        for item in listed(value):
            if not is_valid(item):
                raise ValueError(f"{item!r} is not {advice}")
        return value

    return AfterValidator(check)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


Hosts = Annotated[
    str, _require_each(_HOST.fullmatch, "a host; an example is 'traffic.example' (no port, no *)")
]
Networks = Annotated[
    str, _require_each(_is_network, "an address or a network; an example is '10.0.0.0/8'")
]
Origins = Annotated[
    str,
    _require_each(
        _ORIGIN.fullmatch, "an origin; an example is 'https://page.example' (no path, no *)"
    ),
]


class ApiSettings(SubjectSettings):
    """API

    The API and the dashboard are one process. [Security](security.md) explains keys, hosts, origins
    and limits. Separate the items of a list with commas.
    """

    api_host: str = "127.0.0.1"
    """Address that the API and the dashboard are bound to. Unless it is a loopback address, every
    request needs a key, except those below `/health/`."""
    api_port: FirstPort = 8000
    """First port to try. If it is taken, the stack uses the next free one."""
    api_keys_required: Literal["auto", "always"] = "auto"
    """`auto`: requests need a key unless the API is bound to a loopback address. `always`: there,
    too."""
    api_allowed_hosts: Hosts = ""
    """Names by which clients may address the API and Dagster's UI, besides those of this
    machine."""
    api_trusted_proxies: Networks = ""
    """Addresses or networks of proxies whose `X-Forwarded-For` is trusted."""
    api_cors_origins: Origins = ""
    """Origins whose pages may read the API in a browser."""
    api_key_requests_per_minute: Limit = 6000
    """Largest number of requests a minute by one key. 0: no limit."""
    api_address_requests_per_minute: Limit | None = None
    """Largest number of requests a minute from one address. 0: no limit. Not set: 6000 for requests
    with a key, and no limit where no key is needed."""
    api_streams_per_key: Limit = 20
    """Largest number of open event streams of one key. 0: no limit."""
    api_streams_per_address: Limit = 100
    """Largest number of open event streams of one address, with or without a key. 0: no limit."""
    api_streams: Limit = 1000
    """Largest number of open event streams in total. 0: no limit."""
    api_exports_per_key: Limit = 4
    """Largest number of exports in progress of one key. 0: no limit."""
    api_exports_per_address: Limit = 8
    """Largest number of exports in progress of one address, with or without a key. 0: no limit."""
    api_exports: Annotated[int, Field(ge=1, le=100)] = 16
    """Largest number of exports in progress in total. Each needs a connection to the database until
    its file is complete in the folder for temporary files (`TMPDIR`), and space there until its
    client has it."""
