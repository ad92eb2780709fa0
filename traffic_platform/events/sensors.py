"""A sensor's UUID from the identifier that its feed uses; the same everywhere, without look-up."""

from __future__ import annotations

import re
import uuid
from uuid import UUID

SENSOR_NAMESPACE = UUID("6f7d4f0e-3d0b-5f0c-9a39-6c2d6b1f5a11")
"""Namespace of the UUIDv5 (RFC 9562) of every sensor that is no UUID itself. Never changes."""

MAX_LENGTH = 255
"""Longest external id (characters)."""

_CANONICAL = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def canonical_external_id(external_id: str) -> str:
    """The identifier as it is stored: a UUID in lower case, anything else unchanged."""
    return external_id.lower() if _CANONICAL.fullmatch(external_id) else external_id


def sensor_uuid(external_id: str) -> UUID:
    """A canonical 36-character UUID is itself; any other text maps to its UUIDv5."""
    if _CANONICAL.fullmatch(external_id):
        return UUID(external_id)
    return uuid.uuid5(SENSOR_NAMESPACE, external_id)


def is_valid(external_id: str) -> bool:
    """Whether PostgreSQL can hold it: 1 to 255 characters, no NUL, no lone surrogate."""
    if not 1 <= len(external_id) <= MAX_LENGTH or "\0" in external_id:
        return False
    try:
        external_id.encode()
    except UnicodeEncodeError:
        return False
    return True
