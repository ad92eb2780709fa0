"""UUIDs of sensors, computed from the identifiers of their feeds; the same on every platform."""

from __future__ import annotations

import re
import uuid
from uuid import UUID

from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.texts import Unbounded, quote

SENSOR_NAMESPACE = UUID("6f7d4f0e-3d0b-5f0c-9a39-6c2d6b1f5a11")
"""Namespace of the UUIDv5 (RFC 9562) of sensors whose id is not a UUID. Never changes."""

MAX_LENGTH = 255
"""Longest external id (characters)."""

_CANONICAL = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_canonical_uuid(external_id: str) -> bool:
    """Return true for a UUID in its 36-character form, in either case."""
    return _CANONICAL.fullmatch(external_id) is not None


def canonical_external_id(external_id: str) -> str:
    """Return the identifier as it is stored: a UUID in lower case, any other text unchanged."""
    return external_id.lower() if is_canonical_uuid(external_id) else external_id


def sensor_uuid(external_id: str) -> UUID:
    """Return a canonical 36-character UUID as it is, and the UUIDv5 of any other text.

    Raises UnicodeEncodeError for a lone surrogate; `fault` finds it first.
    """
    if is_canonical_uuid(external_id):
        return UUID(external_id)
    return uuid.uuid5(SENSOR_NAMESPACE, external_id)


def read_external_id(value: str | int | Unbounded) -> str:
    """Return the identifier in a message as text; integers become their decimal text.

    Raises Rejection (invalid_sensor_id) for a text that PostgreSQL cannot store.
    """
    external_id = value.text if isinstance(value, Unbounded) else str(value)
    flaw = fault(external_id)
    if flaw:
        raise Rejection(Reason.INVALID_SENSOR_ID, f"sensor_id {quote(external_id)} {flaw}")
    return external_id


def fault(external_id: str) -> str | None:
    """Return the reason why PostgreSQL cannot store an identifier ("is empty"), or None."""
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
    """Return true when the text can name a sensor."""
    return fault(external_id) is None
