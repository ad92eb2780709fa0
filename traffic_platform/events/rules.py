"""The settings that decide results, and the version that names them."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from datetime import date
from typing import Literal

# Raised whenever code changes what a message turns into: flags, score, mapping, reasons.
RULES_REVISION = 2

UnknownSensors = Literal["register", "quarantine"]
"""What becomes of an event whose sensor nobody has told the platform of."""


@dataclass(frozen=True)
class Rules:
    """What a message means here. Equal rules turn equal messages into equal rows.

    `naive_timezone` is the IANA zone of timestamps that name none (None: they are quarantined);
    `timezone` is the zone whose days are dates; events before `first_date` are quarantined.
    """

    first_date: date
    naive_timezone: str | None
    timezone: str
    unknown_sensors: UnknownSensors = "register"

    @property
    def version(self) -> str:
        """The revision of the code and a digest of the settings, "1-0a1b2c3d"."""
        digest = hashlib.sha256(repr(astuple(self)).encode()).hexdigest()
        return f"{RULES_REVISION}-{digest[:8]}"
