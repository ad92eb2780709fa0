"""Keys in the database: made, listed and revoked by the owner's role."""

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
    """A key cannot be made or revoked. The message says why, and what to do."""


@dataclass(frozen=True)
class Key:
    """What is known of a key. Times have a zone."""

    key_id: int
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> State:
        """Whether it holds at this moment."""
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
    """Make a key. Returns what is stored, and the key itself, which is nowhere afterwards.

    Raises KeyStoreError when the name is taken or none, or the end lies in the past.
    """
    key = new_key()
    values = {
        "name": name,
        "hash": hash_of(key),
        "scopes": sorted(set(scopes)),
        "expires_at": expires_at,
    }
    try:
        return _ask(settings, "create", values)[0], key
    except errors.UniqueViolation:
        raise KeyStoreError(
            f"A key named {name!r} is there: revoke it first, or choose another name."
        ) from None
    except errors.CheckViolation:
        raise KeyStoreError(
            "A name has 1 to 100 characters, none of them a control character, and is not only"
            " digits; --expires lies in the future."
        ) from None


def list_keys(settings: Settings) -> list[Key]:
    """Every key that was ever made, in that order."""
    return _ask(settings, "list", {})


def revoke(settings: Settings, which: str) -> Key:
    """Revoke the key of a number, or of a name. Again, it stays as it is.

    Raises KeyStoreError when there is none.
    """
    number = int(which) if which.isascii() and which.isdigit() and len(which) < 19 else None
    found = _ask(settings, "revoke", {"key_id": number, "name": which})
    if not found:
        raise KeyStoreError(f"There is no key {which!r} to revoke: see `traffic keys list`.")
    return found[0]


def _ask(settings: Settings, name: str, values: Mapping[str, Any]) -> list[Key]:
    try:
        with connect(settings.owning_url(), application_name="traffic-keys") as connection:
            rows = connection.execute(statement(f"keys/{name}"), values).fetchall()
    except errors.UndefinedTable:
        raise KeyStoreError(
            "The database has no table of keys yet: `traffic up` brings it to this version."
        ) from None
    except errors.InsufficientPrivilege:
        raise KeyStoreError(
            "Keys are the owner's business: set TRAFFIC_DATABASE_URL to the owner's role."
        ) from None
    except psycopg.OperationalError as error:
        raise KeyStoreError(f"PostgreSQL: {' '.join(str(error).split())}") from error
    return [Key(*row) for row in rows]  # pyright: ignore[reportArgumentType]
