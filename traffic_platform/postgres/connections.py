"""Connections to PostgreSQL that notice when the server is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from traffic_platform.database_url import build_url, url_parts

Connection = psycopg.Connection[Any]

# A dead peer is noticed within 15 s while data is in flight (tcp_user_timeout, ms), and within
# idle + interval * count = 5 + 3 * 3 s otherwise. A session that is idle in a transaction holds
# ledger rows, so the server ends it. No statement of ours runs long enough for JIT compilation to
# pay off.
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


def connect(url: str, *, application_name: str, autocommit: bool = False) -> Connection:
    """Open a connection with keep-alives and a session in UTC.

    Network parameters and options of the URL take precedence, except for the session settings that
    our statements rely on. Raises psycopg.OperationalError when the server is unreachable or
    refuses the connection.
    """
    return psycopg.connect(
        url,
        autocommit=autocommit,
        **connection_arguments(url, application_name=application_name),
    )


def connection_arguments(url: str, *, application_name: str, options: str = "") -> dict[str, Any]:
    """Return the arguments of `connect` beside the URL, for pools that open connections themselves.

    `options` are further server options (-c name=value).
    """
    own = url_parts(url)
    network: dict[str, Any] = {key: value for key, value in _NETWORK.items() if key not in own}
    return {
        **network,
        "application_name": application_name,
        "options": f"{_session_options(own)} {options}".strip(),
    }


def engine_url(url: str, *, application_name: str, options: str = "") -> str:
    """Return the URL by which SQLAlchemy opens the same connections, for libraries that use it.

    The search path includes our schema, since such libraries do not qualify table names.
    `options` are further server options (-c name=value). The URL holds the password: never print
    or log it.
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
    # The server uses the later of two values for one parameter.
    return f"{own.get('options', '')} {_SESSION}".strip()
