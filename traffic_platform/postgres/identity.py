"""What a database keeps for good of the platform that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from traffic_platform.settings import SettingsError

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Identity:
    """Who a platform is. `echo_key` (32 bytes) is a secret: never print or log it."""

    platform_id: UUID
    echo_key: bytes

    def __repr__(self) -> str:
        return f"Identity({self.platform_id})"


def read_identity(connection: Connection) -> Identity:
    """The identity; needs the writing role or the owner. Raises psycopg.Error."""
    row = connection.execute(
        "select platform_id, echo_key from traffic.platform, traffic.platform_keys"
    ).fetchone()
    if row is None:
        raise SettingsError("The database is not set up: run `traffic up`, which migrates it.")
    return Identity(row[0], bytes(row[1]))


def require_timezone(connection: Connection, timezone: str) -> None:
    """Raise SettingsError when the database keeps its dates in another zone than the settings."""
    kept = read_timezone(connection)
    if kept is not None and kept != timezone:
        raise SettingsError(
            f"TRAFFIC_TIMEZONE is {timezone!r}, but this database keeps its dates in {kept!r}:"
            f" set TRAFFIC_TIMEZONE={kept}, or start a new database and replay into it."
        )


def read_timezone(connection: Connection) -> str | None:
    """The zone that the database keeps its dates in; None before it is set up."""
    row = connection.execute("select timezone from traffic.platform").fetchone()
    return str(row[0]) if row is not None else None
