"""The identity and time zone of a platform, which its database keeps for good."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from traffic_platform.postgres.connections import Connection
from traffic_platform.settings import SettingsError


@dataclass(frozen=True)
class Identity:
    """Identity of a platform.

    `echo_key` (32 bytes) signs our own messages. It is a secret: never print or log it.
    """

    platform_id: UUID
    echo_key: bytes

    def __repr__(self) -> str:
        return f"Identity({self.platform_id})"


def read_identity(connection: Connection) -> Identity:
    """Return the identity. Needs the writing role or the owner.

    Raises psycopg.Error, and SettingsError for a database that was not set up.
    """
    row = connection.execute(
        "select platform_id, echo_key from traffic.platform, traffic.platform_keys"
    ).fetchone()
    if row is None:
        raise SettingsError("The database is not set up. Run `traffic up`, which migrates it.")
    return Identity(row[0], bytes(row[1]))


def require_timezone(connection: Connection, timezone: str) -> None:
    """Raise SettingsError when the database keeps its dates in another time zone."""
    kept = read_timezone(connection)
    if kept is not None and kept != timezone:
        raise SettingsError(
            f"TRAFFIC_TIMEZONE is {timezone!r}, but this database keeps its dates in {kept!r}."
            f" Set TRAFFIC_TIMEZONE={kept}, or ingest into a new database."
        )


def read_timezone(connection: Connection) -> str | None:
    """Return the time zone of the database's dates, None before the database is set up."""
    row = connection.execute("select timezone from traffic.platform").fetchone()
    return str(row[0]) if row is not None else None
