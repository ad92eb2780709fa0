"""All checks, collected from the modules that define them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from traffic_platform.quality import (
    accounting,
    arrival,
    clocks,
    completeness,
    expectations,
    health,
    keys,
    measures,
    quarantine,
    repeats,
)
from traffic_platform.quality.check import Check

_MODULES = (
    *(accounting, keys, arrival, quarantine, clocks),
    *(completeness, expectations, measures, repeats, health),
)
_TABLES = ("raw_events", "processed_events", "traffic_readings", "detector_health")

# In the order of tables; within a table, as the modules and their functions follow each other.
CHECKS: Final = tuple(
    sorted(
        (found for module in _MODULES for found in vars(module).values() if type(found) is Check),
        key=lambda found: _TABLES.index(found.table),
    )
)


def checks_named(names: Sequence[str]) -> list[Check]:
    """Return the checks with these names in the order of CHECKS; all of them without names.

    Raises ValueError, with the known names, for an unknown name.
    """
    known = {check.name for check in CHECKS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"Unknown check {', '.join(unknown)}. The checks are {', '.join(sorted(known))}."
        )
    return [check for check in CHECKS if not names or check.name in names]
