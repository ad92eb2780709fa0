"""The settings that decide results, and the version that names them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date
from typing import Final, Literal

from traffic_platform.events.quality_tests import QUALITY_TESTS, QualityTest

# Raise this whenever other code changes the result of a message: score, mapping, reasons. The
# version follows QUALITY_TESTS by itself.
RULES_REVISION = 2

# Versions were stored before the digest covered the quality tests. It leaves out the tests of that
# time, so that their versions stay equal and no stored batch becomes stale.
_TESTS_OF_REVISION_2: Final = "32f54f61"

UnknownSensors = Literal["register", "quarantine"]
"""Treatment of an event whose sensor is not registered."""


@dataclass(frozen=True)
class Rules:
    """The meaning of messages here. Equal rules turn equal messages into equal rows.

    `naive_timezone` is the IANA zone of timestamps without a zone (None: they are quarantined).
    `timezone` is the zone whose days are dates. Events before `first_date` are quarantined.
    """

    first_date: date
    naive_timezone: str | None
    timezone: str
    unknown_sensors: UnknownSensors = "register"

    @property
    def version(self) -> str:
        """The revision of the code and a digest of settings and quality tests, "2-0a1b2c3d"."""
        return self.version_with(QUALITY_TESTS)

    def version_with(self, tests: Sequence[QualityTest]) -> str:
        """Return the version that these settings have with a list of quality tests."""
        decisive = [(test.bit, [tuple(each) for each in test.fails_when]) for test in tests]
        of_tests = _digest(repr(decisive))
        if of_tests == _TESTS_OF_REVISION_2:
            of_tests = ""
        return f"{RULES_REVISION}-{_digest(repr(astuple(self)) + of_tests)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
