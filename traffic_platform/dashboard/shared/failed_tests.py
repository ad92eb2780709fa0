"""The quality tests that a reading failed, in words."""

from __future__ import annotations

_WORDS = (
    (1, "volume above 3,060 veh/h"),
    (2, "occupancy above 95 %"),
    (4, "speed above 100 mph"),
    (8, "speed below 5 mph"),
    (16, "speed 0 with volume"),
    (32, "speed without volume"),
    (64, "occupancy without volume"),
)


def failed_tests(flags: int) -> str:
    """The names of the bits of `quality_flags`; empty where none is set."""
    return ", ".join(words for bit, words in _WORDS if flags & bit)
