"""Connections to PostgreSQL that notice when the other end is gone."""

from __future__ import annotations

import psycopg

# A dead peer is noticed within 15 s also while data is in flight (tcp_user_timeout, ms), or
# idle + interval * count = 5 + 3 * 3 s otherwise; a session that sits in a transaction without
# working holds ledger rows, so the server ends it.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_SESSION = (
    "-c TimeZone=UTC -c DateStyle=ISO -c search_path=pg_catalog "
    "-c idle_in_transaction_session_timeout=30s -c lock_timeout=10s"
)


def connect(
    url: str, *, application_name: str, autocommit: bool = False
) -> psycopg.Connection[tuple[object, ...]]:
    """Open a connection with keep-alives and a session in UTC.

    Raises psycopg.OperationalError when the server cannot be reached or refuses.
    """
    return psycopg.connect(
        url,
        application_name=application_name,
        autocommit=autocommit,
        options=_SESSION,
        **_NETWORK,  # pyright: ignore[reportArgumentType]
    )
