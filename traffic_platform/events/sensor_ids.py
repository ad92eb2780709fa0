"""A sensor's UUID from the identifier that its feed uses; the same everywhere, without look-up."""

from __future__ import annotations

import re
import uuid
from uuid import UUID

from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.texts import Unbounded, quote

SENSOR_NAMESPACE = UUID("6f7d4f0e-3d0b-5f0c-9a39-6c2d6b1f5a11")
"""Namespace of the UUIDv5 (RFC 9562) of every sensor that is no UUID itself. Never changes."""

MAX_LENGTH = 255
"""Longest external id (characters)."""

_CANONICAL = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_canonical_uuid(external_id: str) -> bool:
    """Whether it is a UUID in its 36-character form, in either case; no other form counts."""
    return _CANONICAL.fullmatch(external_id) is not None


def canonical_external_id(external_id: str) -> str:
    """The identifier as it is stored: a UUID in lower case, anything else unchanged."""
    return external_id.lower() if is_canonical_uuid(external_id) else external_id


def sensor_uuid(external_id: str) -> UUID:
    """A canonical 36-character UUID is itself; any other text maps to its UUIDv5.

    Raises UnicodeEncodeError for a lone surrogate; `fault` finds it first.
    """
    if is_canonical_uuid(external_id):
        return UUID(external_id)
    return uuid.uuid5(SENSOR_NAMESPACE, external_id)


def read_external_id(value: str | int | Unbounded) -> str:
    """The identifier that a message says; integers are their decimal text.

    Raises Refusal (invalid_sensor_id) for what PostgreSQL cannot hold.
    """
    external_id = value.text if isinstance(value, Unbounded) else str(value)
    flaw = fault(external_id)
    if flaw:
        raise Rejection(Reason.INVALID_SENSOR_ID, f"sensor_id {quote(external_id)} {flaw}")
    return external_id


def fault(external_id: str) -> str | None:
    """What keeps PostgreSQL from holding an identifier ("is empty"), None when nothing does."""
    if not external_id:
        return "is empty"
    if len(external_id) > MAX_LENGTH:
        return f"has {len(external_id)} characters, and {MAX_LENGTH} are allowed"
    if "\0" in external_id:
        return "holds a NUL"
    try:
        external_id.encode()
    except UnicodeEncodeError:
        return "holds a lone surrogate, which is no character"
    return None


def is_valid(external_id: str) -> bool:
    """Whether it can name a sensor."""
    return fault(external_id) is None
