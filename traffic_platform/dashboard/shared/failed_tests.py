"""Names of the quality tests that a reading failed."""

from __future__ import annotations

_NAMES = (
    (1, "volume above 3,060 veh/h"),
    (2, "occupancy above 95 %"),
    (4, "speed above 100 mph"),
    (8, "speed below 5 mph"),
    (16, "speed 0 with volume"),
    (32, "speed without volume"),
    (64, "occupancy without volume"),
)


def failed_tests(flags: int) -> str:
    """Return the names of the set bits of `quality_flags`, separated by commas."""
    return ", ".join(name for bit, name in _NAMES if flags & bit)
