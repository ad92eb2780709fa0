"""Connections to PostgreSQL that notice when the other end is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from traffic_platform.database_url import build_url, url_parts

# A dead peer is noticed within 15 s also while data is in flight (tcp_user_timeout, ms), or
# idle + interval * count = 5 + 3 * 3 s otherwise; a session that sits in a transaction without
# working holds ledger rows, so the server ends it. No statement of ours runs so long that compiling
# it first would pay.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_SESSION = (
    "-c TimeZone=UTC -c DateStyle=ISO -c search_path=pg_catalog "
    "-c idle_in_transaction_session_timeout=30s -c lock_timeout=10s -c jit=off"
)


def connect(
    url: str, *, application_name: str, autocommit: bool = False
) -> psycopg.Connection[tuple[object, ...]]:
    """Open a connection with keep-alives and a session in UTC.

    What the URL itself says of the network goes first, as do its options, unless they contradict
    what our statements rely on.

    Raises psycopg.OperationalError when the server cannot be reached or refuses.
    """
    return psycopg.connect(
        url,
        autocommit=autocommit,
        **connection_arguments(url, application_name=application_name),
    )


def connection_arguments(url: str, *, application_name: str, options: str = "") -> dict[str, Any]:
    """What psycopg is given beside the URL by `connect`, for pools that connect by themselves.

    `options` are further ones of the server (-c name=value).
    """
    own = url_parts(url)
    network: dict[str, Any] = {key: value for key, value in _NETWORK.items() if key not in own}
    return {
        **network,
        "application_name": application_name,
        "options": f"{_session_options(own)} {options}".strip(),
    }


def engine_url(url: str, *, application_name: str, options: str = "") -> str:
    """The URL by which SQLAlchemy opens the same connections, for libraries that work through it.

    Our tables need no schema before their names there, since such libraries have no place for one.
    `options` are further ones of the server (-c name=value). Holds the password: never print or
    log it.
    """
    own = url_parts(url)
    network = {key: str(value) for key, value in _NETWORK.items() if key not in own}
    parts = {
        **own,
        **network,
        "application_name": application_name,
        "options": f"{_session_options(own)} -c search_path=traffic,pg_catalog {options}".strip(),
    }
    return build_url(parts).replace("postgresql://", "postgresql+psycopg://", 1)


def _session_options(own: Mapping[str, str]) -> str:
    # Of two values for one parameter the server takes the later.
    return f"{own.get('options', '')} {_SESSION}".strip()
