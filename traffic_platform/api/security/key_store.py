"""API keys in the database. The owner role creates, lists and revokes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg
from psycopg import errors

from traffic_platform.api.security.secret import hash_of, new_key
from traffic_platform.postgres.connections import connect
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

Scope = Literal["read", "export", "admin"]
State = Literal["valid", "expired", "revoked"]


class KeyStoreError(Exception):
    """A key cannot be created or revoked. The message gives the reason and the remedy."""


@dataclass(frozen=True)
class Key:
    """A stored key. Times have a time zone."""

    key_id: int
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> State:
        """State at this moment."""
        if self.revoked_at is not None:
            return "revoked"
        expired = self.expires_at is not None and self.expires_at <= datetime.now(UTC)
        return "expired" if expired else "valid"

    def as_json(self) -> dict[str, Any]:
        """The document of `traffic keys`."""
        return {**asdict(self), "state": self.state}


def create(
    settings: Settings, name: str, scopes: Sequence[Scope], expires_at: datetime | None
) -> tuple[Key, str]:
    """Create a key. Return its stored data and the key itself, which is not stored.

    Raises KeyStoreError if the name is in use or invalid, or the expiry is in the past.
    """
    key = new_key()
    values = {
        "name": name,
        "hash": hash_of(key),
        "scopes": sorted(set(scopes)),
        "expires_at": expires_at,
    }
    try:
        return _execute(settings, "create", values)[0], key
    except errors.UniqueViolation:
        raise KeyStoreError(
            f"A key named {name!r} exists already. Revoke it first, or choose another name."
        ) from None
    except errors.CheckViolation:
        raise KeyStoreError(
            "Invalid name or expiry. A name has 1 to 100 characters without control characters, and"
            " is not only digits. --expires must be in the future."
        ) from None


def list_keys(settings: Settings) -> list[Key]:
    """Return every key that was ever created, oldest first."""
    return _execute(settings, "list", {})


def revoke(settings: Settings, which: str) -> Key:
    """Revoke a key by number or name. A second call changes nothing.

    Raises KeyStoreError for an unknown key.
    """
    number = int(which) if which.isascii() and which.isdigit() and len(which) < 19 else None
    found = _execute(settings, "revoke", {"key_id": number, "name": which})
    if not found:
        raise KeyStoreError(f"Unknown key {which!r}. `traffic keys list` shows the keys.")
    return found[0]


def _execute(settings: Settings, name: str, values: Mapping[str, Any]) -> list[Key]:
    try:
        with connect(settings.owning_url(), application_name="traffic-keys") as connection:
            rows = connection.execute(statement(f"keys/{name}"), values).fetchall()
    except errors.UndefinedTable:
        raise KeyStoreError(
            "The database has no table of keys yet. Run `traffic up`, which migrates it."
        ) from None
    except errors.InsufficientPrivilege:
        raise KeyStoreError(
            "Only the owner role manages keys. Set TRAFFIC_DATABASE_URL to the owner role."
        ) from None
    except psycopg.OperationalError as error:
        raise KeyStoreError(f"PostgreSQL: {' '.join(str(error).split())}") from error
    return [Key(*row) for row in rows]  # pyright: ignore[reportArgumentType]
